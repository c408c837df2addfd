//! The value of `Authorization`: nobody but the recorded user, and no verdict but a refusal.

#![no_main]

use std::sync::LazyLock;

use fuzz::Deployment;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use libfuzzer_sys::fuzz_target;

static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(|| {
    let recording = include_str!("../../tests/fixtures/better-auth/sqlite-nocache.json");
    Deployment::recorded(recording, None)
});

fuzz_target!(|value: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        DEPLOYMENT.judge(AUTHORIZATION, value);
    }
});
