//! What an identity asks of its layer later on.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use crate::clock::Timestamp;
use crate::identity::{Identity, Origin, Reproof};
use crate::rejection::{Renderer, RetryAfter};
use crate::store::LookupKind;
use crate::verify::{Subject, Verified};

impl Origin for Inner {
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

    fn prove_again(self: Arc<Self>, identity: Identity) -> Reproof {
        Box::pin(async move {
            let verified = Verified {
                kind: identity.credential(),
                // A credential that names none goes on with any other session of the user, here as in a new request.
                session_id: (identity.session())
                    .filter(|_| identity.names_session())
                    .map(|session| session.id().to_owned()),
                expires_at: identity.credential_expires_at(),
                claims: None,
                subject: self.subject_of(&identity),
            };
            self.resolve(verified).await
        })
    }
}

impl Inner {
    /// By what this store can find the user again. By id where it can: whoever gets a new e-mail address stays the same.
    fn subject_of(&self, identity: &Identity) -> Subject {
        let user = identity.user();
        if let Some(key) = identity.api_key() {
            return Subject::ApiKey(key.hash().clone());
        }
        let token = (identity.session())
            .filter(|_| identity.names_session())
            .and_then(|session| session.token());
        if self.store.supports(LookupKind::UserId) {
            Subject::UserId(user.id().to_owned())
        } else if let Some(token) = token
            && self.store.supports(LookupKind::SessionToken)
        {
            Subject::SessionToken(token.clone())
        } else {
            Subject::Email {
                address: user.email().to_owned(),
                subject: Some(user.id().to_owned()),
            }
        }
    }
}
