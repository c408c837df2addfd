//! Gives identities access to the layer that created them, and repeats the store lookup for open
//! streams.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use crate::clock::Timestamp;
use crate::identity::{CredentialKind, Identity, LayerHandle, Reauthentication, Session};
use crate::rejection::{Rejection, RejectionKind, Renderer, RetryAfter};
use crate::verify::{Subject, Verified};

impl LayerHandle for Inner {
    fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn lookup_timeout(&self) -> Duration {
        self.lookup_timeout
    }

    fn retry_after(&self) -> &RetryAfter {
        &self.validator.retry_after
    }

    fn recheck_interval(&self) -> Duration {
        self.recheck_interval
    }

    fn reauthenticate(self: Arc<Self>, identity: Identity) -> Reauthentication {
        Box::pin(async move {
            // A cookie cache is reauthenticated by its session.
            let (kind, expires_at) = match identity.credential() {
                CredentialKind::CookieCache => (CredentialKind::SessionCookie, Timestamp::MAX),
                kind => (kind, identity.credential_expires_at()),
            };
            let verified = Verified {
                // A credential that is not bound to a session is valid with any session of the
                // user, as for a new request.
                session_id: identity.bound_session().map(|session| session.id().into()),
                expires_at,
                ..Verified::new(kind, subject_of(&identity))
            };
            let again = self.look_up(&verified).await?;
            if again.user().id() == identity.user().id() {
                Ok(again)
            } else {
                // The email now belongs to another user.
                Err(Rejection::new(RejectionKind::UserNotFound))
            }
        })
    }
}

/// The lookup key of the original request, which the store is known to support.
fn subject_of(identity: &Identity) -> Subject {
    let user = identity.user();
    if let Some(key) = identity.api_key() {
        return Subject::ApiKey(key.hash().clone());
    }
    match identity.credential() {
        CredentialKind::Jwt => Subject::UserId(user.id().into()),
        CredentialKind::SecretJwt => Subject::Email {
            email: user.email().into(),
            sub: Some(user.id().into()),
        },
        // Credentials that are session tokens, whose sessions have a token.
        _ => match identity.session().and_then(Session::token) {
            Some(token) => Subject::SessionToken(token.clone()),
            None => Subject::UserId(user.id().into()),
        },
    }
}
