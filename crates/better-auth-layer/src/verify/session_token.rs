//! Session tokens with Better Auth's signature: the session cookie's value, and `set-auth-token`.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::credential::InvalidReason;
use crate::identity::SessionToken;
use crate::secret::SecretRing;

/// The base64 of 32 bytes.
const SIGNATURE_LENGTH: usize = 44;

/// As much as base64 of this length may come to.
const MAXIMUM_DECODED: usize = 33;

/// Longer than any token that an application makes in place of Better Auth's.
const MAXIMUM_LENGTH: usize = 1024;

/// Judges the form of a session token.
pub(crate) type TokenForm = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Verifies `token.signature` (upstream `better-call`, `crypto.ts`).
///
/// A good signature says only that somebody who holds the secret signed this text once: other cookies, mail tokens and
/// queries of the OAuth login are signed the same way. The form of the token is checked, and whether it is a session's,
/// the store has to say.
pub(crate) struct SessionTokenVerifier {
    keys: Vec<hmac::Key>,
    form: TokenForm,
}

impl SessionTokenVerifier {
    pub(crate) fn new(ring: &SecretRing, accept_previous: bool, form: TokenForm) -> Self {
        let keys = ring
            .accepted(accept_previous)
            .map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose()))
            .collect();
        Self { keys, form }
    }

    /// Checks the signature, then the form.
    pub(crate) fn verify(&self, value: Cow<'_, str>) -> Result<SessionToken, InvalidReason> {
        let length = self.verified_length(&value)?;
        let mut token = value.into_owned();
        token.truncate(length);
        Ok(SessionToken::new(token))
    }

    /// How long the token is of which the rest of the text is the signature.
    fn verified_length(&self, value: &str) -> Result<usize, InvalidReason> {
        let malformed = InvalidReason::SignedSessionTokenMalformed;
        if value.len() > MAXIMUM_LENGTH {
            return Err(malformed);
        }
        let (token, signature) = value.rsplit_once('.').ok_or(malformed)?;
        if token.is_empty() || signature.len() != SIGNATURE_LENGTH || !signature.ends_with('=') {
            return Err(malformed);
        }
        let mut decoded = [0; MAXIMUM_DECODED];
        let decoded = match STANDARD.decode_slice(signature, &mut decoded) {
            Ok(length) => decoded.get(..length).ok_or(malformed)?,
            Err(_) => return Err(malformed),
        };
        if !self
            .keys
            .iter()
            .any(|key| hmac::verify(key, token.as_bytes(), decoded).is_ok())
        {
            return Err(InvalidReason::SignatureMismatch);
        }
        check_form(&self.form, token)?;
        Ok(token.len())
    }
}

/// Whether a text has the form of a session token.
pub(crate) fn check_form(form: &TokenForm, token: &str) -> Result<(), InvalidReason> {
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic()) && !token.contains('.');
    if is_plain && token.len() <= MAXIMUM_LENGTH && form(token) {
        Ok(())
    } else {
        Err(InvalidReason::SessionTokenMalformed)
    }
}

/// The form of the tokens that Better Auth makes: 32 letters and digits (upstream `core/utils/id.ts`).
pub(crate) fn is_better_auths(token: &str) -> bool {
    token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const TOKEN: &str = "XN6DtGUWabcdefghijklmnopqrstuvDc";

    fn verifier() -> SessionTokenVerifier {
        let ring = SecretRing::new(Secret::new("a-secret-of-this-deployment").unwrap());
        SessionTokenVerifier::new(&ring, false, Arc::new(is_better_auths))
    }

    fn signature(text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a-secret-of-this-deployment");
        STANDARD.encode(hmac::sign(&key, text.as_bytes()))
    }

    fn verdict(value: &str) -> Result<String, InvalidReason> {
        let token = verifier().verify(value.into())?;
        Ok(token.expose().to_owned())
    }

    #[test]
    fn a_signed_token_is_taken() {
        let value = format!("{TOKEN}.{}", signature(TOKEN));
        assert_eq!(verdict(&value).as_deref(), Ok(TOKEN));
    }

    #[test]
    fn the_signature_has_one_spelling() {
        let signature = signature(TOKEN);
        let unpadded = signature.trim_end_matches('=');
        let bits: String = {
            // The last character before the padding has two bits that do not count.
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
            assert!(verdict(&value).is_err(), "{value}");
        }
        // What is no base64 of 32 bytes is not compared with any.
        for no_signature in ["A".repeat(44), "A".repeat(39) + "=", "A".repeat(47) + "="] {
            assert_eq!(
                verdict(&format!("{TOKEN}.{no_signature}")),
                Err(InvalidReason::SignedSessionTokenMalformed),
                "{no_signature}"
            );
        }
        let other = verifier().verify(format!("{}.{signature}", TOKEN.replace('X', "Y")).into());
        assert_eq!(other.unwrap_err(), InvalidReason::SignatureMismatch);
    }

    /// Where the application makes its tokens, any text may be one, within limits.
    #[test]
    fn the_longest_tokens_pass_and_one_letter_more_does_not() {
        let ring = SecretRing::new(Secret::new("a-secret-of-this-deployment").unwrap());
        let form: TokenForm = Arc::new(|_| true);
        let verifier = SessionTokenVerifier::new(&ring, false, Arc::clone(&form));
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
        assert_eq!(check_form(&form, &"a".repeat(1024)), Ok(()));
        for token in ["a".repeat(1025), "a.b".to_owned(), "a b".to_owned()] {
            let malformed = Err(InvalidReason::SessionTokenMalformed);
            assert_eq!(check_form(&form, &token), malformed, "{token}");
        }
    }

    #[test]
    fn what_is_signed_and_no_session_token_is_refused() {
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
                verdict(&value),
                Err(InvalidReason::SessionTokenMalformed),
                "{text}"
            );
        }
    }
}
