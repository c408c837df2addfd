//! Credentials against keys: checks that ask no store.

mod claim_policy;
mod claims;
mod compact_jws;
mod cookie_cache;
mod json_value;
mod jwks_signature;
mod jwt;
mod jwt_cache;
mod registered_claims;
mod secret_jwt;
mod session_jwt_policy;
mod session_token;

use std::ops::Deref;
use std::sync::Arc;

use crate::api_key::ApiKeyHash;
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::{CredentialKind, SessionToken};

pub(crate) use self::claim_policy::ClaimPolicy;
pub use self::cookie_cache::CookieCache;
#[cfg(feature = "testing")]
pub(crate) use self::cookie_cache::Strategy;
pub(crate) use self::cookie_cache::{CachedSession, CookieCacheStep, CookieCacheVerifier};
pub(crate) use self::jwks_signature::JwksSignature;
pub(crate) use self::jwt::{AwaitedKey, JwtStep, JwtVerifier};
use self::jwt_cache::KnownJwt;
pub(crate) use self::registered_claims::RegisteredClaims;
pub(crate) use self::secret_jwt::{SecretJwtVerifier, self_check};
pub(crate) use self::session_jwt_policy::SessionJwtPolicy;
pub(crate) use self::session_token::{
    SessionTokenVerifier, TokenForm, check_form, is_better_auths,
};

/// What a verified credential says. A clone shares the texts.
#[derive(Clone)]
pub(crate) struct Verified {
    pub(crate) kind: CredentialKind,
    /// Whom to look up.
    pub(crate) subject: Subject,
    /// The one session that the credential is for.
    pub(crate) session_id: Option<Arc<str>>,
    /// When the credential itself ends.
    pub(crate) expires_at: Timestamp,
    /// The payload as it was signed.
    pub(crate) claims: Option<Arc<str>>,
}

impl Verified {
    /// A credential that is nothing but a name for a row, and ends with it.
    pub(crate) fn naming(kind: CredentialKind, subject: Subject) -> Self {
        Self {
            kind,
            subject,
            session_id: None,
            expires_at: Timestamp::MAX,
            claims: None,
        }
    }
}

/// What a credential says, of its own or shared with other requests that carry the same one.
pub(crate) enum Held {
    Own(Verified),
    Shared(Arc<KnownJwt>),
}

impl Deref for Held {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        match self {
            Self::Own(verified) => verified,
            Self::Shared(known) => known.verified(),
        }
    }
}

impl From<Verified> for Held {
    fn from(verified: Verified) -> Self {
        Self::Own(verified)
    }
}

/// Whom a credential names.
#[derive(Clone)]
pub(crate) enum Subject {
    /// A user by e-mail address, and what the token says the user id is.
    Email {
        address: Arc<str>,
        subject: Option<Arc<str>>,
    },
    /// A user by id.
    UserId(Arc<str>),
    /// A session by its token.
    SessionToken(SessionToken),
    /// An API key by its hash.
    ApiKey(ApiKeyHash),
}

/// Why a credential was not verified.
#[derive(Debug)]
pub(crate) enum VerifyError {
    /// It is bad.
    Refused(Refused),
    /// Nobody can tell: the keys are not to be had.
    KeysUnavailable,
}

impl From<InvalidReason> for VerifyError {
    fn from(reason: InvalidReason) -> Self {
        Self::Refused(Refused { reason, kid: None })
    }
}

/// Why a token was refused, with the key it names: for the log.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) reason: InvalidReason,
    pub(crate) kid: Option<String>,
}
