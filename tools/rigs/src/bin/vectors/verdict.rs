//! The layer's result for a vector.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use better_auth_layer::jwks::KeySet;
use better_auth_layer::store::MemoryStore;
use better_auth_layer::{BetterAuthLayer, BetterAuthLayerBuilder, Secret};
use http::HeaderValue;
use serde_json::{Value, json};
use support::captured_log::CapturedLog;

use crate::vector::Vector;

/// The step in which a token was rejected.
pub(crate) enum Verdict {
    /// The signature is valid.
    Accepted,
    /// The signature is rejected, with the reason.
    Refused(String),
    /// The layer does not support the vector.
    NotApplicable(&'static str),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused(reason) => write!(f, "refused, {reason}"),
            Self::NotApplicable(reason) => write!(f, "not applicable, {reason}"),
        }
    }
}

/// Sends the token to a layer with the vector's key.
pub(crate) fn judge(vector: &Vector) -> Verdict {
    let Some(jws) = &vector.jws else {
        return Verdict::NotApplicable(
            "a JWE with algorithms that Better Auth never uses; its own kind is in the recordings",
        );
    };
    let builder = BetterAuthLayer::builder().store(MemoryStore::new());
    let builder = if vector.key["kty"] == "oct" {
        match symmetric(&vector.key) {
            Some(key) => builder.secret(Secret::dangerous_unchecked(key).expect("not empty")),
            None => return Verdict::Refused("an empty key is rejected at start".to_owned()),
        }
    } else {
        with_keys(builder, &vector.key)
    };
    let layer = builder.build().expect("a good builder");
    let Ok(value) = HeaderValue::from_str(&format!("Bearer {jws}")) else {
        return Verdict::Refused("no header value".to_owned());
    };
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.headers.insert("authorization", value);
    let (log, _guard) = CapturedLog::start();
    drop(layer.authenticator().authenticate(&parts));
    let text = log.text();
    let reason = text
        .split_once("reason=")
        .map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default());
    match reason.map(|reason| reason.trim_end_matches(':')) {
        Some("claims_malformed" | "claim_missing" | "claim_malformed" | "expired") => {
            Verdict::Accepted
        }
        Some("kid_missing") => {
            Verdict::NotApplicable("the token names no key, and every one of Better Auth's does")
        }
        Some(reason) => Verdict::Refused(reason.to_owned()),
        None => panic!("{vector}: no reason in {text}"),
    }
}

fn with_keys(builder: BetterAuthLayerBuilder, key: &Value) -> BetterAuthLayerBuilder {
    let set = if key["keys"].is_array() {
        key.clone()
    } else {
        json!({ "keys": [key] })
    };
    let keys: KeySet = set.to_string().parse().expect("a set of keys");
    builder.base_url("https://vectors.example").key_source(keys)
}

fn symmetric(key: &Value) -> Option<Vec<u8>> {
    let key = URL_SAFE_NO_PAD.decode(key["k"].as_str()?).ok()?;
    Some(key).filter(|key| !key.is_empty())
}
