//! The value of `Cookie`, with each kind of cookie cache enabled.

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

macro_rules! seed {
    ($name:literal) => {
        include_str!(concat!("../seeds/cookie/", $name))
    };
}

static DEPLOYMENTS: LazyLock<[Deployment; 5]> = LazyLock::new(|| {
    let deployments = [
        Deployment::recorded(recording!("sqlite-nocache"), None),
        Deployment::recorded(
            recording!("sqlite-cache-compact"),
            Some(CookieCache::compact()),
        ),
        Deployment::recorded(recording!("sqlite-cache-jwt"), Some(CookieCache::jwt())),
        Deployment::recorded(recording!("sqlite-cache-jwe"), Some(CookieCache::jwe())),
        Deployment::recorded(recording!("sqlite-cache-jwks"), Some(CookieCache::jwks())),
    ];
    // Ensures that the seeds reach the code behind the signature check.
    let seeds = [
        seed!("none"),
        seed!("compact"),
        seed!("jwt"),
        seed!("jwe"),
        seed!("jwks"),
    ];
    for (deployment, seed) in deployments.iter().zip(seeds) {
        assert!(deployment.authenticates(COOKIE, HeaderValue::from_static(seed)));
    }
    deployments
});

fuzz_target!(|value: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        for deployment in &*DEPLOYMENTS {
            deployment.authenticates(COOKIE, value.clone());
        }
    }
});
