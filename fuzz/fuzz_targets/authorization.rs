//! The value of `Authorization`: only the recorded user is authenticated, other credentials are
//! rejected.

#![no_main]

use std::sync::LazyLock;

use fuzz::Deployment;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use libfuzzer_sys::fuzz_target;

static DEPLOYMENT: LazyLock<Deployment> = LazyLock::new(|| {
    let recording = include_str!("../../tests/fixtures/better-auth/sqlite-nocache.json");
    let deployment = Deployment::recorded(recording, None);
    // Ensures that the seeds reach the code behind the signature check.
    for seed in [
        include_str!("../seeds/authorization/jwt"),
        include_str!("../seeds/authorization/signed_session_token"),
    ] {
        assert!(deployment.authenticates(AUTHORIZATION, HeaderValue::from_static(seed)));
    }
    deployment
});

fuzz_target!(|value: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        DEPLOYMENT.authenticates(AUTHORIZATION, value);
    }
});
