//! The result of verification.

use std::sync::Arc;

use crate::api_key::ApiKeyHash;
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::{CredentialKind, Session, SessionToken, User};
use crate::jwks::KeyFetch;
use crate::store::Lookup;

/// The contents of a verified credential. Clones share the texts.
#[derive(Clone)]
pub(crate) struct Verified {
    pub(crate) kind: CredentialKind,
    pub(crate) subject: Subject,
    /// The only session that the credential is valid for.
    pub(crate) session_id: Option<Arc<str>>,
    /// When the credential itself expires.
    pub(crate) expires_at: Timestamp,
    /// The payload as it was signed.
    pub(crate) claims: Option<Arc<str>>,
    /// User and session of a cookie cache, which needs no store lookup.
    pub(crate) cached: Option<CachedSession>,
}

/// User and session from a cookie cache.
#[derive(Clone)]
pub(crate) struct CachedSession {
    pub(crate) user: Arc<User>,
    pub(crate) session: Arc<Session>,
}

/// The lookup key that a credential contains.
#[derive(Clone)]
pub(crate) enum Subject {
    /// A user's email, and the user id in the token's `sub`.
    Email {
        email: Arc<str>,
        sub: Option<Arc<str>>,
    },
    UserId(Arc<str>),
    SessionToken(SessionToken),
    ApiKey(ApiKeyHash),
}

impl Verified {
    /// A credential that contains only a lookup key and expires with the row.
    pub(crate) fn new(kind: CredentialKind, subject: Subject) -> Self {
        Self {
            kind,
            subject,
            session_id: None,
            expires_at: Timestamp::MAX,
            claims: None,
            cached: None,
        }
    }

    /// The store lookup for this credential.
    pub(crate) fn lookup(&self, now: Timestamp) -> Lookup<'_> {
        let lookup = match &self.subject {
            Subject::Email { email, .. } => Lookup::by_email(&**email, now),
            Subject::UserId(id) => Lookup::by_user_id(&**id, now),
            Subject::SessionToken(token) => Lookup::by_session_token(token, now),
            Subject::ApiKey(hash) => Lookup::by_api_key(hash, now),
        };
        match &self.session_id {
            Some(id) => lookup.with_session_id(&**id),
            None => lookup,
        }
    }
}

/// Why a credential was not verified.
pub(crate) enum VerifyError {
    /// The credential is not valid. The `kid` is for the log.
    Invalid {
        reason: InvalidReason,
        kid: Option<String>,
    },
    /// The public key is being fetched: wait for the fetch, then verify again.
    KeysPending(KeyFetch),
    /// There are no public keys, and none can be fetched now.
    KeysUnavailable,
}

impl From<InvalidReason> for VerifyError {
    fn from(reason: InvalidReason) -> Self {
        Self::Invalid { reason, kid: None }
    }
}
