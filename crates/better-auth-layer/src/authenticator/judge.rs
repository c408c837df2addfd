//! Judges what a store said.

use std::sync::Arc;

use super::Inner;
use crate::api_key::ApiKey;
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::{Authentication, Identity, LayerHandle, Session, SessionOrApiKey, User};
use crate::rejection::{Rejection, RejectionKind};
use crate::store::{Lookup, Resolution, StoreError, StoreErrorKind};
use crate::verify::{Subject, Verified};

/// What the store is to be asked about a credential.
pub(super) fn lookup(verified: &Verified, now: Timestamp) -> Lookup<'_> {
    let lookup = match &verified.subject {
        Subject::Email { address, .. } => Lookup::by_email(&**address, now),
        Subject::UserId(id) => Lookup::by_user_id(&**id, now),
        Subject::SessionToken(token) => Lookup::by_session_token(token, now),
        Subject::ApiKey(hash) => Lookup::by_api_key(hash, now),
    };
    match &verified.session_id {
        Some(id) => lookup.with_session_id(&**id),
        None => lookup,
    }
}

impl Inner {
    /// Judges what the store said. No store is trusted to compare, to look at the clock or to know about bans.
    pub(super) fn judge(
        self: &Arc<Self>,
        verified: &Verified,
        resolution: Result<Resolution, StoreError>,
        now: Timestamp,
    ) -> Result<Identity, Rejection> {
        let lookup = lookup(verified, now);
        let wrong_answer = || Err(self.unavailable(&StoreErrorKind::WrongAnswer.into()));
        let (user, basis) = match resolution {
            Err(error) => return Err(self.unavailable(&error)),
            Ok(Resolution::UserNotFound) => {
                return Err(nobody(verified, RejectionKind::UserNotFound));
            }
            Ok(Resolution::NoActiveSession | Resolution::ApiKeyNotFound) => {
                return Err(nobody(verified, RejectionKind::NoActiveSession));
            }
            Ok(Resolution::Found { user, session }) => {
                if !lookup.is_answered_by(&user, &session) {
                    return wrong_answer();
                }
                (user, SessionOrApiKey::Session(session))
            }
            Ok(Resolution::FoundApiKey { user, api_key }) => {
                if !lookup.is_answered_by_api_key(&user, &api_key) {
                    return wrong_answer();
                }
                (user, SessionOrApiKey::ApiKey(api_key))
            }
        };
        if verified.expires_at <= now {
            return Err(distrusted(InvalidReason::Expired, &user));
        }
        self.check_user(verified, &user, now)?;
        match &basis {
            SessionOrApiKey::Session(session) => check_session(verified, &user, session, now)?,
            SessionOrApiKey::ApiKey(key) => self.check_api_key(&user, key, now)?,
        }
        let proof = Authentication {
            credential: verified.kind,
            claims: verified.claims.clone(),
            expires_at: verified.expires_at,
            is_session_bound: verified.session_id.is_some()
                || matches!(verified.subject, Subject::SessionToken(_)),
            authenticated_at: now,
        };
        let origin: Arc<dyn LayerHandle> = Arc::<Self>::clone(self);
        Ok(Identity::new(user, basis, proof, Some(origin)))
    }

    fn check_user(
        &self,
        verified: &Verified,
        user: &Arc<User>,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        if let Subject::Email { subject, .. } = &verified.subject {
            self.check_subject(subject.as_deref(), user)?;
        }
        if self.require_verified_email && !user.email_verified() {
            return Err(distrusted(InvalidReason::EmailNotVerified, user));
        }
        if user.is_banned_at(now) {
            return Err(refused(RejectionKind::UserBanned, Some(user)));
        }
        Ok(())
    }

    fn check_subject(&self, subject: Option<&str>, user: &User) -> Result<(), Rejection> {
        if subject == Some(user.id()) {
            return Ok(());
        }
        if self.require_matching_subject {
            return Err(distrusted(InvalidReason::SubjectMismatch, user));
        }
        // Many minting snippets write the address into `sub`; that says nothing about the id.
        if subject.is_some_and(|subject| !subject.eq_ignore_ascii_case(user.email())) {
            tracing::warn!(
                user_id = user.id(),
                "the token's `sub` is not the id of the user with its e-mail address; the address decides unless `require_matching_subject` is set"
            );
        }
        Ok(())
    }

    fn check_api_key(&self, user: &User, key: &ApiKey, now: Timestamp) -> Result<(), Rejection> {
        // Better Auth takes a key that says nothing, from before there were configurations, for one of the default one.
        let id = key.config_id().filter(|id| !id.is_empty());
        let id = id.unwrap_or(ApiKey::DEFAULT_CONFIGURATION);
        let is_ours = self.api_key_configurations.iter().any(|ours| ours == id);
        let reason = if !is_ours {
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
        Err(distrusted(reason, user))
    }

    pub(super) fn unavailable(&self, error: &StoreError) -> Rejection {
        error.reject(&self.retry_after)
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
        Subject::SessionToken(_) => distrusted(InvalidReason::SessionTokenUnknown, user),
        _ => refused(RejectionKind::NoActiveSession, Some(user)),
    })
}

/// A token whose user or session is gone is one thing, a session token or an API key that names no row another: it is
/// not valid any more, or never was.
fn nobody(verified: &Verified, kind: RejectionKind) -> Rejection {
    let reason = match verified.subject {
        Subject::SessionToken(_) => InvalidReason::SessionTokenUnknown,
        Subject::ApiKey(_) => InvalidReason::ApiKeyUnknown,
        Subject::Email { .. } | Subject::UserId(_) => return refused(kind, None),
    };
    invalid(reason, None)
}

pub(super) fn refused(kind: RejectionKind, user: Option<&User>) -> Rejection {
    tracing::info!(
        outcome = kind.as_str(),
        user_id = user.map(User::id),
        "request refused"
    );
    Rejection::new(kind)
}

fn distrusted(reason: InvalidReason, user: &User) -> Rejection {
    let kind = RejectionKind::InvalidCredential;
    tracing::info!(
        outcome = kind.as_str(),
        %reason,
        user_id = user.id(),
        "credential refused"
    );
    Rejection::new(kind)
}

pub(super) fn invalid(reason: InvalidReason, kid: Option<&str>) -> Rejection {
    // A kid is the sender's text: Debug escapes control characters, so it cannot forge a line of the log.
    let kid = kid.map(|kid| kid.chars().take(64).collect::<String>());
    tracing::info!(
        outcome = RejectionKind::InvalidCredential.as_str(),
        %reason,
        kid = ?kid,
        remedy = reason.remedy(),
        "credential refused"
    );
    Rejection::new(RejectionKind::InvalidCredential)
}
