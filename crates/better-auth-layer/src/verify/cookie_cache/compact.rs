//! The strategy `compact`: JSON that contains an HMAC.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::verify::json_object::{JsonObject, Malformed};

/// Opens a cache (upstream `cookies/index.ts`). Returns the signed object, and when it expires.
///
/// `is_signed` verifies a signature of a message.
pub(super) fn open(
    value: &str,
    is_signed: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<(String, Timestamp), InvalidReason> {
    let malformed = InvalidReason::CookieCacheMalformed;
    let json = URL_SAFE_NO_PAD.decode(value).map_err(|_| malformed)?;
    let json = std::str::from_utf8(&json).map_err(|_| malformed)?;
    let envelope = Envelope::parse(json).map_err(|Malformed| malformed)?;
    if !is_signed(envelope.message.as_bytes(), &envelope.signature) {
        return Err(InvalidReason::SignatureMismatch);
    }
    Ok((envelope.session.to_owned(), envelope.expires_at))
}

struct Envelope<'a> {
    session: &'a str,
    expires_at: Timestamp,
    /// The signed text: `session` with `expiresAt` as its last member. Better Auth serializes it
    /// again; here the received bytes are used, so differences between JSON writers do not matter.
    message: String,
    signature: Vec<u8>,
}

impl<'a> Envelope<'a> {
    fn parse(json: &'a str) -> Result<Self, Malformed> {
        const MEMBERS: [&str; 3] = ["session", "expiresAt", "signature"];
        let object = JsonObject::parse(json)?;
        if object.iter().any(|(name, _)| !MEMBERS.contains(&name)) {
            return Err(Malformed);
        }
        let session = object.get("session").ok_or(Malformed)?;
        let expires_at = object.get("expiresAt").ok_or(Malformed)?;
        let millis = object.integer("expiresAt")?.ok_or(Malformed)?;
        let signature = object.string("signature")?.ok_or(Malformed)?;
        let open = session.strip_suffix('}').ok_or(Malformed)?;
        let message = format!(r#"{open},"expiresAt":{expires_at}}}"#);
        Ok(Self {
            session,
            expires_at: Timestamp::from_unix_millis(millis),
            message,
            signature: URL_SAFE_NO_PAD.decode(&*signature).map_err(|_| Malformed)?,
        })
    }
}
