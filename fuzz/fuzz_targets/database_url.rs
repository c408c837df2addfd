//! A database URL: parsed or rejected, without showing the password.

#![no_main]

use better_auth_layer::postgres::PostgresStore;
use libfuzzer_sys::fuzz_target;

const PASSWORD: &str = "Xyzzy-4711";

fuzz_target!(|url: &str| {
    let shown = match PostgresStore::builder(url).build() {
        Ok(store) => format!("{store:?}"),
        Err(error) => format!("{error:?} {error}"),
    };
    // The password of the seeds, if it is still in the place of a password.
    let authority = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let userinfo = authority.and_then(|rest| Some(rest.rsplit_once('@')?.0));
    let password = userinfo.and_then(|userinfo| Some(userinfo.split_once(':')?.1));
    let is_password = password.is_some_and(|password| password.contains(PASSWORD));
    if is_password && url.matches(PASSWORD).count() == 1 {
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
});
