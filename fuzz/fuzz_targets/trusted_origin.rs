//! A pattern of trusted origins and, after a line feed, an origin: matching takes bounded time, and a
//! value that is not an origin never matches.

#![no_main]

use better_auth_layer::csrf::TrustedOrigin;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (pattern, origin) = text.split_once('\n').unwrap_or((text, "null"));
    if let Ok(pattern) = pattern.parse::<TrustedOrigin>() {
        let _matches = pattern.matches(origin);
        assert!(!pattern.matches("null"), "{pattern:?}");
        assert!(!pattern.matches(""), "{pattern:?}");
    }
});
