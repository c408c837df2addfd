//! Session tokens: signed, as in the session cookie and `set-auth-token`, or raw.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::credential::InvalidReason;
use crate::identity::SessionToken;
use crate::secret::SecretRing;

/// The length of 32 bytes in base64.
const SIGNATURE_LENGTH: usize = 44;

/// The most bytes that base64 of that length can decode to.
const MAX_DECODED: usize = 33;

/// Longer than any token that Better Auth or an application generates.
const MAX_LENGTH: usize = 1024;

/// Validates the form of a session token.
pub(crate) type TokenValidator = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Verifies `token.signature` (upstream `better-call`, `crypto.ts`).
///
/// Other cookies, mail tokens and queries of the OAuth login are signed with the same secret in the
/// same way. So the form of the token is validated as well, and only the store can decide whether
/// the token belongs to a session.
pub(crate) struct SessionTokenVerifier {
    keys: Vec<hmac::Key>,
    validator: TokenValidator,
}

impl SessionTokenVerifier {
    pub(crate) fn new(ring: &SecretRing, accept_previous: bool, validator: TokenValidator) -> Self {
        let keys = ring
            .accepted(accept_previous)
            .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
            .collect();
        Self { keys, validator }
    }

    /// Verifies the signature, then the form.
    pub(super) fn verify(&self, value: Cow<'_, str>) -> Result<SessionToken, InvalidReason> {
        let length = self.verified_length(&value)?;
        let mut token = value.into_owned();
        token.truncate(length);
        Ok(SessionToken::new(token))
    }

    /// The length of the token that precedes the signature.
    fn verified_length(&self, value: &str) -> Result<usize, InvalidReason> {
        let malformed = InvalidReason::SignedSessionTokenMalformed;
        if value.len() > MAX_LENGTH {
            return Err(malformed);
        }
        let (token, signature) = value.rsplit_once('.').ok_or(malformed)?;
        if token.is_empty() || signature.len() != SIGNATURE_LENGTH || !signature.ends_with('=') {
            return Err(malformed);
        }
        let mut decoded = [0; MAX_DECODED];
        let decoded = match STANDARD.decode_slice(signature, &mut decoded) {
            Ok(length) => decoded.get(..length).ok_or(malformed)?,
            Err(_) => return Err(malformed),
        };
        let is_signed = |key| hmac::verify(key, token.as_bytes(), decoded).is_ok();
        if !self.keys.iter().any(is_signed) {
            return Err(InvalidReason::SignatureMismatch);
        }
        validate_form(&self.validator, token)?;
        Ok(token.len())
    }
}

/// Validates the form of a session token.
pub(super) fn validate_form(validator: &TokenValidator, token: &str) -> Result<(), InvalidReason> {
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic()) && !token.contains('.');
    if is_plain && token.len() <= MAX_LENGTH && validator(token) {
        Ok(())
    } else {
        Err(InvalidReason::SessionTokenMalformed)
    }
}

/// Whether a token has the form that Better Auth generates by default: 32 letters and digits
/// (upstream `core/utils/id.ts`).
pub(crate) fn has_default_form(token: &str) -> bool {
    token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const TOKEN: &str = "XN6DtGUWabcdefghijklmnopqrstuvDc";

    fn verifier() -> SessionTokenVerifier {
        let ring = SecretRing::new(Secret::new("a-secret-of-this-deployment").unwrap());
        SessionTokenVerifier::new(&ring, false, Arc::new(has_default_form))
    }

    fn signature(text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a-secret-of-this-deployment");
        STANDARD.encode(hmac::sign(&key, text.as_bytes()))
    }

    fn verify(value: &str) -> Result<String, InvalidReason> {
        let token = verifier().verify(value.into())?;
        Ok(token.expose().to_owned())
    }

    #[test]
    fn signed_token_is_accepted() {
        let value = format!("{TOKEN}.{}", signature(TOKEN));
        assert_eq!(verify(&value).as_deref(), Ok(TOKEN));
    }

    #[test]
    fn signature_has_one_encoding() {
        let signature = signature(TOKEN);
        let unpadded = signature.trim_end_matches('=');
        let bits: String = {
            // The last character before the padding has two unused bits.
            let mut text = unpadded.to_owned();
            let last = text.pop().unwrap() as u8;
            text.push(char::from(last + 1));
            text + "="
        };
        for value in [
            format!("{TOKEN}.{unpadded}"),
            format!(
                "{TOKEN}.{}",
                signature.replace('+', "-").replace('/', "_") + "="
            ),
            format!("{TOKEN}.{bits}"),
            format!("{TOKEN}. {signature}"),
            format!("{TOKEN}.{signature} "),
            format!("{TOKEN}{signature}"),
            format!(".{signature}"),
            signature.clone(),
            String::new(),
            ".".to_owned(),
        ] {
            assert!(verify(&value).is_err(), "{value}");
        }
        // A signature that does not decode to 32 bytes is malformed.
        for no_signature in ["A".repeat(44), "A".repeat(39) + "=", "A".repeat(47) + "="] {
            assert_eq!(
                verify(&format!("{TOKEN}.{no_signature}")),
                Err(InvalidReason::SignedSessionTokenMalformed),
                "{no_signature}"
            );
        }
        let other = verifier().verify(format!("{}.{signature}", TOKEN.replace('X', "Y")).into());
        assert_eq!(other.unwrap_err(), InvalidReason::SignatureMismatch);
    }

    #[test]
    fn token_length_is_limited() {
        let ring = SecretRing::new(Secret::new("a-secret-of-this-deployment").unwrap());
        let any: TokenValidator = Arc::new(|_| true);
        let verifier = SessionTokenVerifier::new(&ring, false, Arc::clone(&any));
        let signed = |length: usize| {
            let token = "a".repeat(length);
            let value = format!("{token}.{}", signature(&token));
            verifier
                .verify(value.into())
                .map(|token| token.expose().len())
        };
        let longest = 1024 - ".".len() - SIGNATURE_LENGTH;
        assert_eq!(signed(longest), Ok(longest));
        for length in [0, longest + 1] {
            let malformed = Err(InvalidReason::SignedSessionTokenMalformed);
            assert_eq!(signed(length), malformed, "{length}");
        }
        assert_eq!(validate_form(&any, &"a".repeat(1024)), Ok(()));
        for token in ["a".repeat(1025), "a.b".to_owned(), "a b".to_owned()] {
            let malformed = Err(InvalidReason::SessionTokenMalformed);
            assert_eq!(validate_form(&any, &token), malformed, "{token}");
        }
    }

    #[test]
    fn other_signed_texts_are_rejected() {
        for text in [
            "true",
            "eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImEifQ",
            "active-sessions-8mkG4ZgqR0tCYOOlq",
            "verification:reset-password:3jV69",
            "XN6DtGUWabcdefghijklmnopqrstuvD",
            "XN6DtGUWabcdefghijklmnopqrstuvDcc",
            "XN6DtGUWabcdefghijklmnopqrstuv'\u{e9}",
        ] {
            let value = format!("{text}.{}", signature(text));
            assert_eq!(
                verify(&value),
                Err(InvalidReason::SessionTokenMalformed),
                "{text}"
            );
        }
    }
}
