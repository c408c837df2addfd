//! A JOSE header and, after a line feed, a payload, with a valid signature: jsonwebtoken accepts every
//! token that this library accepts.
//!
//! The reverse is not true. Only this library rejects `crit`, other token types, claims of the wrong
//! type, duplicate members and payloads that are not objects. Only this library accepts, as jose does,
//! times above 64 bits.

#![no_main]

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use better_auth_layer::clock::Timestamp;
use better_auth_layer::jwks::KeySet;
use better_auth_layer::store::MemoryStore;
use better_auth_layer::{BetterAuthLayer, Secret, Session, User};
use http::Request;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "correct-horse-battery-staple-4711";
const ISSUER: &str = "https://app.example.com";

struct Fixture {
    layer: BetterAuthLayer,
    ed25519: Ed25519KeyPair,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let ed25519 = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let x = URL_SAFE_NO_PAD.encode(ed25519.public_key());
    let keys = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"{x}"}}]}}"#);
    let store = MemoryStore::new();
    store.insert_user(User::new("usr_ada", "ada@example.com"));
    store.insert_session(Session::new("ses_ada", "usr_ada", Timestamp::MAX));
    let layer = BetterAuthLayer::builder()
        .secret(Secret::new(SECRET).expect("a secret"))
        .base_url(ISSUER)
        .key_source(keys.parse::<KeySet>().expect("keys"))
        .store(store)
        .build()
        .expect("a layer");
    Fixture { layer, ed25519 }
});

fuzz_target!(|text: &str| {
    let Some((header, payload)) = text.split_once('\n') else {
        return;
    };
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let mac = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()),
        input.as_bytes(),
    );
    let by_secret = DecodingKey::from_secret(SECRET.as_bytes());
    compare(&signed(&input, mac.as_ref()), Algorithm::HS256, &by_secret);
    let signature = FIXTURE.ed25519.sign(input.as_bytes());
    let by_key = DecodingKey::from_ed_der(FIXTURE.ed25519.public_key().as_ref());
    compare(
        &signed(&input, signature.as_ref()),
        Algorithm::EdDSA,
        &by_key,
    );
});

fn signed(input: &str, signature: &[u8]) -> String {
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn compare(token: &str, algorithm: Algorithm, key: &DecodingKey) {
    let request = Request::get("/")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(());
    let Ok(request) = request else { return };
    let (parts, ()) = request.into_parts();
    let mut result = pin!(FIXTURE.layer.authenticator().authenticate(&parts));
    let Poll::Ready(result) = result
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("the store in memory responds immediately");
    };
    if let Ok(identity) = result {
        assert_eq!(identity.user().id(), "usr_ada");
        let mut validation = Validation::new(algorithm);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.validate_aud = false;
        let theirs = decode::<serde_json::Value>(token, key, &validation);
        assert!(
            theirs.is_ok() || has_time_beyond_64_bits(token),
            "{theirs:?}: {token}"
        );
    }
}

fn has_time_beyond_64_bits(token: &str) -> bool {
    let payload = token.split('.').nth(1).expect("a payload");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let claims: serde_json::Value = serde_json::from_slice(&payload).expect("an object");
    ["exp", "nbf"].iter().any(|time| {
        let time = claims[time].as_f64();
        time.is_some_and(|time| time >= u64::MAX as f64)
    })
}
