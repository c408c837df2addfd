//! Validates the result of a store lookup: stores are not trusted to compare, to read the clock, or
//! to know about bans.

use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::{Authentication, Identity, LayerHandle, Session, SessionOrApiKey, User};
use crate::rejection::{Rejection, RejectionKind, RetryAfter};
use crate::store::{Resolution, StoreError, StoreErrorKind};
use crate::verify::{Subject, Verified};

pub(crate) struct Validator {
    /// The configurations of the API key plugin whose keys are accepted.
    pub(crate) api_key_configurations: Vec<String>,
    pub(crate) require_matching_subject: bool,
    pub(crate) require_verified_email: bool,
    /// For 503 responses.
    pub(crate) retry_after: RetryAfter,
}

impl Validator {
    pub(super) fn validate(
        &self,
        verified: &Verified,
        resolution: Result<Resolution, StoreError>,
        now: Timestamp,
        layer: Arc<dyn LayerHandle>,
    ) -> Result<Identity, Rejection> {
        let lookup = verified.lookup(now);
        let (user, session_or_api_key, is_answer) = match resolution {
            Err(error) => return Err(error.reject(&self.retry_after)),
            Ok(Resolution::UserNotFound) => {
                return Err(not_found(verified, RejectionKind::UserNotFound));
            }
            Ok(Resolution::NoActiveSession | Resolution::ApiKeyNotFound) => {
                return Err(not_found(verified, RejectionKind::NoActiveSession));
            }
            Ok(Resolution::Found { user, session }) => {
                let is_answer = lookup.is_answered_by(&user, &session);
                (user, SessionOrApiKey::Session(session), is_answer)
            }
            Ok(Resolution::FoundApiKey { user, api_key }) => {
                let is_answer = lookup.is_answered_by_api_key(&user, &api_key);
                (user, SessionOrApiKey::ApiKey(api_key), is_answer)
            }
        };
        if !is_answer {
            let error = StoreError::from(StoreErrorKind::WrongAnswer);
            return Err(error.reject(&self.retry_after));
        }
        if verified.expires_at <= now {
            return Err(reject(InvalidReason::Expired, Some(&user)));
        }
        self.check_user(verified, &user, now)?;
        match &session_or_api_key {
            SessionOrApiKey::Session(session) => check_session(verified, &user, session, now)?,
            SessionOrApiKey::ApiKey(key) => self.check_api_key(&user, key, now)?,
        }
        let authentication = Authentication {
            credential: verified.kind,
            claims: verified.claims.clone(),
            expires_at: verified.expires_at,
            is_session_bound: verified.session_id.is_some()
                || matches!(verified.subject, Subject::SessionToken(_)),
            authenticated_at: now,
        };
        Ok(Identity::new(
            user,
            session_or_api_key,
            authentication,
            Some(layer),
        ))
    }

    fn check_user(
        &self,
        verified: &Verified,
        user: &User,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        if let Subject::Email { sub, .. } = &verified.subject {
            self.check_sub(sub.as_deref(), user)?;
        }
        if self.require_verified_email && !user.email_verified() {
            return Err(reject(InvalidReason::EmailNotVerified, Some(user)));
        }
        if user.is_banned_at(now) {
            return Err(reject(RejectionKind::UserBanned, Some(user)));
        }
        Ok(())
    }

    fn check_sub(&self, sub: Option<&str>, user: &User) -> Result<(), Rejection> {
        if sub == Some(user.id()) {
            return Ok(());
        }
        if self.require_matching_subject {
            return Err(reject(InvalidReason::SubjectMismatch, Some(user)));
        }
        // Many applications write the email into `sub`, so that is no reason for a warning.
        if sub.is_some_and(|sub| !sub.eq_ignore_ascii_case(user.email())) {
            tracing::warn!(
                user_id = user.id(),
                "the token's `sub` is not the id of the user with the token's email; set `require_matching_subject` to reject such tokens"
            );
        }
        Ok(())
    }

    fn check_api_key(&self, user: &User, key: &ApiKey, now: Timestamp) -> Result<(), Rejection> {
        // Keys from before there were configurations belong to the default one, as in Better Auth.
        let id = key.config_id().filter(|id| !id.is_empty());
        let id = id.unwrap_or(ApiKey::DEFAULT_CONFIGURATION);
        let is_accepted = self.api_key_configurations.iter().any(|ours| ours == id);
        let reason = if !is_accepted {
            InvalidReason::ApiKeyOfOtherConfiguration
        } else if !key.is_enabled() {
            InvalidReason::ApiKeyDisabled
        } else if key.is_expired_at(now) {
            InvalidReason::ApiKeyExpired
        } else if key.is_used_up_at(now) {
            InvalidReason::ApiKeyUsedUp
        } else {
            return Ok(());
        };
        Err(reject(reason, Some(user)))
    }
}

fn check_session(
    verified: &Verified,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Result<(), Rejection> {
    if session.is_active_at(now) {
        return Ok(());
    }
    Err(match verified.subject {
        Subject::SessionToken(_) => reject(InvalidReason::SessionTokenUnknown, Some(user)),
        _ => reject(RejectionKind::NoActiveSession, Some(user)),
    })
}

/// A session token or API key without a row is invalid (401). For a JWT, whose signature proves that
/// it was issued, the missing row is reported as `kind`.
fn not_found(verified: &Verified, kind: RejectionKind) -> Rejection {
    match verified.subject {
        Subject::SessionToken(_) => reject(InvalidReason::SessionTokenUnknown, None),
        Subject::ApiKey(_) => reject(InvalidReason::ApiKeyUnknown, None),
        Subject::Email { .. } | Subject::UserId(_) => reject(kind, None),
    }
}

/// Why a request is rejected.
pub(super) enum Cause {
    Invalid(InvalidReason, Option<String>),
    Kind(RejectionKind),
}

impl From<InvalidReason> for Cause {
    fn from(reason: InvalidReason) -> Self {
        Self::Invalid(reason, None)
    }
}

/// A reason with the token's `kid`.
impl From<(InvalidReason, Option<String>)> for Cause {
    fn from((reason, kid): (InvalidReason, Option<String>)) -> Self {
        Self::Invalid(reason, kid)
    }
}

impl From<RejectionKind> for Cause {
    fn from(kind: RejectionKind) -> Self {
        Self::Kind(kind)
    }
}

/// Logs and returns a rejection.
pub(super) fn reject(cause: impl Into<Cause>, user: Option<&User>) -> Rejection {
    let (kind, reason, kid) = match cause.into() {
        Cause::Kind(kind) => (kind, None, None),
        Cause::Invalid(reason, kid) => (RejectionKind::InvalidCredential, Some(reason), Some(kid)),
    };
    // The client controls the `kid`: it is truncated, and `Debug` escapes control characters so that
    // it cannot forge log lines.
    let kid = kid.map(|kid| kid.map(|kid| kid.chars().take(64).collect::<String>()));
    tracing::info!(
        outcome = kind.as_str(),
        reason = reason.map(tracing::field::display),
        kid = kid.map(tracing::field::debug),
        user_id = user.map(User::id),
        remedy = reason.and_then(InvalidReason::remedy),
        "request rejected"
    );
    Rejection::new(kind)
}
