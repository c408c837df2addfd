//! The value of `Cookie`, where each kind of cookie cache is believed.

#![no_main]

use std::sync::LazyLock;

use better_auth_layer::CookieCache;
use fuzz::Deployment;
use http::HeaderValue;
use http::header::COOKIE;
use libfuzzer_sys::fuzz_target;

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("../../tests/fixtures/better-auth/", $name, ".json"))
    };
}

static DEPLOYMENTS: LazyLock<[Deployment; 5]> = LazyLock::new(|| {
    [
        Deployment::recorded(recording!("sqlite-nocache"), None),
        Deployment::recorded(
            recording!("sqlite-cache-compact"),
            Some(CookieCache::compact()),
        ),
        Deployment::recorded(recording!("sqlite-cache-jwt"), Some(CookieCache::jwt())),
        Deployment::recorded(recording!("sqlite-cache-jwe"), Some(CookieCache::jwe())),
        Deployment::recorded(recording!("sqlite-cache-jwks"), Some(CookieCache::jwks())),
    ]
});

fuzz_target!(|value: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        for deployment in &*DEPLOYMENTS {
            deployment.judge(COOKIE, value.clone());
        }
    }
});
