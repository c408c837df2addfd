//! A list of secrets as in `BETTER_AUTH_SECRETS`: read or refused, and shown in neither case.

#![no_main]

use better_auth_layer::SecretRing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|list: &str| {
    let shown = match SecretRing::parse(list) {
        Ok(ring) => format!("{ring:?}"),
        Err(error) => format!("{error:?} {error}"),
    };
    for secret in list.split(',').filter_map(|entry| entry.split_once(':')) {
        let secret = secret.1.trim();
        // A shorter one may be part of any text.
        assert!(secret.len() < 16 || !shown.contains(secret), "{shown}");
    }
});
