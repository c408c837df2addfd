//! A value of `BETTER_AUTH_SECRETS`: parsed or rejected, without showing a secret.

#![no_main]

use better_auth_layer::config::SecretRing;
use libfuzzer_sys::fuzz_target;

/// The secrets of the seeds contain it.
const SECRET: &str = "Xyzzy-4711";

fuzz_target!(|list: &str| {
    let shown = match SecretRing::parse(list) {
        Ok(ring) => format!("{ring:?}"),
        Err(error) => format!("{error:?} {error}"),
    };
    assert!(!shown.contains(SECRET), "{shown}");
});
