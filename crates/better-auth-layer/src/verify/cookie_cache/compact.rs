//! The compact kind: JSON with an HMAC in it.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::payload::Payload;
use super::{digits, is_signed};
use crate::clock::Timestamp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow)]
    session: &'a RawValue,
    #[serde(borrow, rename = "expiresAt")]
    expires_at: &'a RawValue,
    signature: String,
}

/// Opens a cache (upstream `cookies/index.ts`).
///
/// What is signed is the inner object with `expiresAt` as one more member at its end. Better Auth parses and writes it
/// anew; here the bytes are taken as they came, so that no difference between two JSON writers matters.
pub(super) fn open(
    value: &str,
    keys: &[hmac::Key],
    now: Timestamp,
) -> Result<Payload, &'static str> {
    let json = URL_SAFE_NO_PAD.decode(value).map_err(|_| "malformed")?;
    let envelope: Envelope<'_> = serde_json::from_slice(&json).map_err(|_| "malformed")?;
    let (expires_at, millis) = digits(envelope.expires_at).ok_or("malformed")?;
    let inner = envelope.session.get();
    let open_end = inner.strip_suffix('}').ok_or("malformed")?;
    let message = format!(r#"{open_end},"expiresAt":{expires_at}}}"#);
    let signature = URL_SAFE_NO_PAD
        .decode(&envelope.signature)
        .map_err(|_| "malformed")?;
    if !is_signed(keys, message.as_bytes(), &signature) {
        return Err("signature mismatch");
    }
    let expires_at = Timestamp::from_unix_millis(millis);
    if expires_at <= now {
        return Err("expired");
    }
    Payload::parse(inner, expires_at)
}
