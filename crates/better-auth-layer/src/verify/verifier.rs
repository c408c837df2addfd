//! Verifies a request's credential, whichever kind it is.

use std::borrow::Cow;

use super::cookie_cache::CookieCacheVerifier;
use super::jwt::JwtVerifier;
use super::session_token::{SessionTokenVerifier, TokenValidator, validate_form};
use super::verified::{Subject, Verified, VerifyError};
use crate::api_key::ApiKeyHash;
use crate::clock::Timestamp;
use crate::credential::{BearerForm, Credential, InvalidReason, SessionCookie, percent_decoded};
use crate::identity::{CredentialKind, SessionToken};

/// The verifiers of all accepted credentials.
pub(crate) struct Verifier {
    pub(crate) jwts: JwtVerifier,
    /// `None` without a secret, or if session tokens are not accepted.
    pub(crate) session_tokens: Option<SessionTokenVerifier>,
    pub(crate) cookie_cache: Option<CookieCacheVerifier>,
    /// Validates the form of unsigned session tokens, if they are accepted.
    pub(crate) raw_session_tokens: Option<TokenValidator>,
    pub(crate) has_secret: bool,
}

impl Verifier {
    /// Verifies a credential. After [`VerifyError::KeysPending`], wait for the fetch and call this
    /// again: the cooldown of the key cache makes the second result final.
    pub(crate) fn verify(
        &self,
        credential: &Credential<'_>,
        now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        match credential {
            Credential::Bearer(token) => match token.form() {
                BearerForm::Jws(token) => self.jwts.verify(token, now),
                BearerForm::SignedSessionToken(value) => {
                    let subject = Subject::SessionToken(self.signed_session_token(value)?);
                    Ok(Verified::new(CredentialKind::SignedSessionToken, subject))
                }
                BearerForm::RawSessionToken(value) => {
                    let subject = Subject::SessionToken(self.raw_session_token(&value)?);
                    Ok(Verified::new(CredentialKind::RawSessionToken, subject))
                }
            },
            Credential::ApiKey(key) => {
                let subject = Subject::ApiKey(ApiKeyHash::from_key(key.expose()));
                Ok(Verified::new(CredentialKind::ApiKey, subject))
            }
            Credential::SessionCookie(cookie) => self.verify_cookie(cookie, now),
        }
    }

    /// Verifies the session cookie, then the cookie cache if there is one. A cache that cannot be
    /// used is ignored, because the session itself may have been extended.
    fn verify_cookie(
        &self,
        cookie: &SessionCookie<'_>,
        now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        let token = self.signed_session_token(percent_decoded(&cookie.value))?;
        if let (Some(verifier), Some(cache)) = (&self.cookie_cache, &cookie.cache) {
            match verifier.verify(cache, &token, now) {
                Ok((cached, expires_at)) => {
                    return Ok(Verified {
                        expires_at,
                        cached: Some(cached),
                        ..Verified::new(CredentialKind::CookieCache, Subject::SessionToken(token))
                    });
                }
                Err(VerifyError::KeysPending(fetch)) => {
                    return Err(VerifyError::KeysPending(fetch));
                }
                Err(VerifyError::Invalid { reason, .. }) => {
                    tracing::debug!(%reason, "the cookie cache is not used");
                }
                Err(VerifyError::KeysUnavailable) => {
                    tracing::debug!("the cookie cache is not used: public keys are unavailable");
                }
            }
        }
        let subject = Subject::SessionToken(token);
        Ok(Verified::new(CredentialKind::SessionCookie, subject))
    }

    fn signed_session_token(&self, value: Cow<'_, str>) -> Result<SessionToken, InvalidReason> {
        let missing = if self.has_secret {
            InvalidReason::SessionTokenNotAccepted
        } else {
            InvalidReason::SecretMissing
        };
        self.session_tokens.as_ref().ok_or(missing)?.verify(value)
    }

    fn raw_session_token(&self, value: &str) -> Result<SessionToken, InvalidReason> {
        let validator = self.raw_session_tokens.as_ref();
        let validator = validator.ok_or(InvalidReason::SessionTokenNotSigned)?;
        validate_form(validator, value)?;
        Ok(SessionToken::new(value))
    }
}
