//! A JWKS document: parsed or rejected in bounded time.

#![no_main]

use better_auth_layer::jwks::KeySet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    if let Ok(keys) = document.parse::<KeySet>() {
        let _shown = format!("{keys:?}");
    }
});
