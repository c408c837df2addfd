//! A pattern of trusted origins, and behind a line feed an origin that it is held against: in little time, and never
//! trusting what is no origin.

#![no_main]

use better_auth_layer::csrf::TrustedOrigin;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (pattern, origin) = text.split_once('\n').unwrap_or((text, "null"));
    if let Ok(pattern) = pattern.parse::<TrustedOrigin>() {
        let _verdict = pattern.matches(origin);
        assert!(!pattern.matches("null"), "{pattern:?}");
        assert!(!pattern.matches(""), "{pattern:?}");
    }
});
