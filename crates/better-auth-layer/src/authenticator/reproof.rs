//! What an identity asks of its layer later on.

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
        &self.retry_after
    }

    fn recheck_interval(&self) -> Duration {
        self.recheck_interval
    }

    fn reauthenticate(self: Arc<Self>, identity: Identity) -> Reauthentication {
        Box::pin(async move {
            // What was the copy in a cookie then is the session itself now.
            let (kind, expires_at) = match identity.credential() {
                CredentialKind::CookieCache => (CredentialKind::SessionCookie, Timestamp::MAX),
                kind => (kind, identity.credential_expires_at()),
            };
            let question = Verified {
                kind,
                expires_at,
                // A credential that names none goes on with any other session of the user, here as in a new request.
                session_id: identity.bound_session().map(|session| session.id().into()),
                claims: None,
                subject: subject_of(&identity),
            };
            let again = self.resolve(question.into()).await?;
            if again.user().id() == identity.user().id() {
                Ok(again)
            } else {
                // The address has passed to somebody else.
                Err(Rejection::new(RejectionKind::UserNotFound))
            }
        })
    }
}

/// The question that the request has asked, so that the store is known to have an answer.
fn subject_of(identity: &Identity) -> Subject {
    let user = identity.user();
    if let Some(key) = identity.api_key() {
        return Subject::ApiKey(key.hash().clone());
    }
    match identity.credential() {
        CredentialKind::Jwt => Subject::UserId(user.id().into()),
        CredentialKind::SecretJwt => Subject::Email {
            address: user.email().into(),
            subject: Some(user.id().into()),
        },
        // A session token: the session that it has found has it.
        _ => match identity.session().and_then(Session::token) {
            Some(token) => Subject::SessionToken(token.clone()),
            None => Subject::UserId(user.id().into()),
        },
    }
}
