//! Session cookies and session tokens, on their way to the store.

use std::borrow::Cow;

use http::HeaderMap;
use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::credential::{Cookies, InvalidReason, SessionCookie};
use crate::csrf::OriginGuard;
use crate::identity::{CredentialKind, SessionToken};
use crate::store::Resolution;
use crate::verify::{
    CachedSession, CookieCacheStep, CookieCacheVerifier, SessionTokenVerifier, Subject, TokenForm,
    Verified, check_form,
};

/// What is accepted of a session's tokens.
pub(crate) struct Sessions {
    /// `None`: there is no secret to verify with, or session tokens are not accepted.
    pub(crate) verifier: Option<SessionTokenVerifier>,
    pub(crate) cache: Option<(SessionCookie, CookieCacheVerifier)>,
    pub(crate) guard: OriginGuard,
    /// The form of tokens that are accepted without a signature, where any are.
    pub(crate) raw: Option<TokenForm>,
    /// Whether the absence of a verifier is for want of a secret.
    pub(crate) lacks_secret: bool,
}

/// How far a session cookie has come without waiting.
pub(super) enum SessionStep {
    Verified(Verified),
    Resolved(Verified, Resolution),
    AwaitsCache(AwaitedCache),
}

/// A cookie cache whose key is being fetched.
pub(super) struct AwaitedCache {
    token: SessionToken,
    cache: String,
    running: watch::Receiver<()>,
}

impl AwaitedCache {
    /// The session's token alone, for the store.
    pub(super) fn into_verified(self) -> Verified {
        by_cookie(self.token)
    }
}

impl Sessions {
    /// A signed token.
    pub(super) fn signed(&self, value: Cow<'_, str>) -> Result<SessionToken, InvalidReason> {
        let missing = if self.lacks_secret {
            InvalidReason::SecretMissing
        } else {
            InvalidReason::SessionTokenNotAccepted
        };
        self.verifier.as_ref().ok_or(missing)?.verify(value)
    }

    /// A token without a signature.
    pub(super) fn raw(&self, value: &str) -> Result<SessionToken, InvalidReason> {
        let form = self.raw.as_ref();
        check_form(form.ok_or(InvalidReason::SessionTokenNotSigned)?, value)?;
        Ok(SessionToken::new(value))
    }

    /// The session cookie and, where one is accepted, the cache beside it. The cache alone is nothing.
    pub(super) fn read_cookie(
        &self,
        value: Cow<'_, str>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<SessionStep, InvalidReason> {
        let token = self.signed(value)?;
        let Some((cookie, verifier)) = &self.cache else {
            return Ok(SessionStep::Verified(by_cookie(token)));
        };
        let Some(cache) = cookie.find_chunked(Cookies::of(headers)) else {
            return Ok(SessionStep::Verified(by_cookie(token)));
        };
        let step = verifier.verify(&cache, &token, now);
        Ok(proceed(step, token, cache.into_owned()))
    }

    /// As [`read_cookie`](Self::read_cookie), when the key has been fetched.
    pub(super) async fn read_fetched(
        &self,
        awaited: AwaitedCache,
        now: impl FnOnce() -> Timestamp,
    ) -> SessionStep {
        let AwaitedCache {
            token,
            cache,
            running,
        } = awaited;
        let Some((_, verifier)) = &self.cache else {
            return SessionStep::Verified(by_cookie(token));
        };
        let step = verifier.verify_fetched(&cache, &token, running, now).await;
        proceed(step, token, cache)
    }
}

fn proceed(step: CookieCacheStep, token: SessionToken, cache: String) -> SessionStep {
    match step {
        CookieCacheStep::Cached(cached) => {
            let CachedSession {
                user,
                session,
                expires_at,
            } = cached;
            let verified = Verified {
                expires_at,
                ..Verified::naming(CredentialKind::CookieCache, Subject::SessionToken(token))
            };
            SessionStep::Resolved(verified, Resolution::found(user, session))
        }
        CookieCacheStep::Miss(reason) => {
            tracing::debug!(reason, "the cookie cache is not used");
            SessionStep::Verified(by_cookie(token))
        }
        CookieCacheStep::AwaitsKey(running) => SessionStep::AwaitsCache(AwaitedCache {
            token,
            cache,
            running,
        }),
    }
}

fn by_cookie(token: SessionToken) -> Verified {
    Verified::naming(CredentialKind::SessionCookie, Subject::SessionToken(token))
}
