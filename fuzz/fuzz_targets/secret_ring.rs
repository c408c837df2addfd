//! A list of secrets as in `BETTER_AUTH_SECRETS`: read or refused, and shown in neither case.

#![no_main]

use better_auth_layer::config::SecretRing;
use libfuzzer_sys::fuzz_target;

/// The seeds' secrets hold it.
const SECRET: &str = "Xyzzy-4711";

fuzz_target!(|list: &str| {
    let shown = match SecretRing::parse(list) {
        Ok(ring) => format!("{ring:?}"),
        Err(error) => format!("{error:?} {error}"),
    };
    assert!(!shown.contains(SECRET), "{shown}");
});
