//! The address of a database: understood or refused, and the password shown in neither case.

#![no_main]

use better_auth_layer::PostgresStore;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|url: &str| {
    let shown = match PostgresStore::builder(url).build() {
        Ok(store) => format!("{store:?}"),
        Err(error) => format!("{error:?} {error}"),
    };
    let authority = url.split_once("://").map(|(_, rest)| rest);
    let userinfo = authority.and_then(|rest| Some(rest.rsplit_once('@')?.0));
    let password = userinfo.and_then(|userinfo| Some(userinfo.split_once(':')?.1));
    if let Some(password) = password {
        // A shorter one may be part of any text.
        assert!(password.len() < 12 || !shown.contains(password), "{shown}");
    }
});
