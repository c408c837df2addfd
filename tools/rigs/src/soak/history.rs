//! Users, their credentials, and the allowed responses to a request.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use better_auth_layer::RejectionKind;
use http::{HeaderName, HeaderValue};

use super::validity::{Span, Validity, nanos};
use support::rng::Rng;

/// The longest delay of a revocation, as `PostgresListener` documents it.
const LISTENER_BOUND: Duration = Duration::from_millis(1500);
/// The longest delay of an API key's end, for which there is no notification:
/// `CachedStoreBuilder::ttl`.
const TTL_BOUND: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct UserHistory {
    pub(super) id: String,
    pub(super) exists: Validity,
    pub(super) bans: Mutex<Vec<Arc<Validity>>>,
    pub(super) visits: Mutex<Vec<Arc<SessionHistory>>>,
}

/// A session.
#[derive(Debug)]
pub(super) struct SessionHistory {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) token: String,
    pub(super) is_active: Validity,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) is_usable: Validity,
}

/// An email and all its users, one after the other.
#[derive(Debug)]
pub(super) struct EmailHistory {
    pub(super) text: String,
    pub(super) owners: Mutex<Vec<(Arc<UserHistory>, Arc<Validity>)>>,
}

/// The subject of a credential.
#[derive(Debug)]
pub(super) enum Subject {
    /// The user of an email, optionally in one session.
    Email(Arc<EmailHistory>, Option<Arc<SessionHistory>>),
    /// A user, optionally in one session.
    User(Arc<UserHistory>, Option<Arc<SessionHistory>>),
    /// The holder of a session token.
    Session(Arc<UserHistory>, Arc<SessionHistory>),
    Key(Arc<UserHistory>, Arc<Key>),
    /// None: the signature or the text is forged.
    Forged,
}

#[derive(Debug)]
pub(super) struct Credential {
    pub(super) kind: &'static str,
    pub(super) header: (HeaderName, HeaderValue),
    pub(super) bearer: Subject,
}

/// A response.
#[derive(Debug)]
pub(super) enum Reply {
    /// The ids of a user and of a session or API key.
    Identity(String, String),
    Refused(RejectionKind),
}

/// A valid response, with the time for which its state had ended by then.
pub(super) type Verdict = Result<Option<u64>, &'static str>;

impl Credential {
    /// Whether the subject is gone forever.
    fn is_over(&self) -> bool {
        match &self.bearer {
            Subject::Email(_, Some(visit))
            | Subject::User(_, Some(visit))
            | Subject::Session(_, visit) => visit.is_active.is_over(),
            Subject::User(person, None) => person.exists.is_over(),
            Subject::Key(_, key) => key.is_usable.is_over(),
            Subject::Email(_, None) | Subject::Forged => false,
        }
    }

    pub(super) fn judge(&self, reply: &Reply, span: Span) -> Verdict {
        match reply {
            Reply::Identity(user, basis) => self.judge_identity(user, basis, span),
            Reply::Refused(kind) => self.judge_refusal(*kind, span).map(|()| None),
        }
    }

    fn judge_identity(&self, user: &str, basis: &str, span: Span) -> Verdict {
        let late = nanos(LISTENER_BOUND);
        let named = match &self.bearer {
            Subject::Forged => return Err("a forged credential is accepted"),
            Subject::User(person, visit) => {
                person.accepts(user, span)?;
                person.visit(visit.as_ref(), basis)?
            }
            Subject::Email(address, visit) => {
                let owners = address.owners();
                let mut of_that_id = owners.iter().filter(|(owner, _)| owner.id == user);
                let owner = of_that_id.find(|(_, has)| has.possibly(span, late));
                let (person, _) = owner.ok_or("not the address's owner")?;
                person.accepts(user, span)?;
                person.visit(visit.as_ref(), basis)?
            }
            Subject::Session(person, visit) => {
                person.accepts(user, span)?;
                Arc::clone(visit)
            }
            Subject::Key(person, key) => {
                let late = nanos(TTL_BOUND);
                if person.id != user || key.id != basis {
                    return Err("somebody else's identity");
                }
                if !key.is_usable.possibly(span, late) {
                    return Err("an API key is accepted after its end");
                }
                person.accepts(user, span)?;
                return Ok(None);
            }
        };
        if named.id != basis || named.owner != user {
            return Err("somebody else's session");
        }
        if !named.is_active.possibly(span, late) {
            return Err("a session is accepted after its end");
        }
        Ok(named.is_active.over_for(span))
    }

    fn judge_refusal(&self, kind: RejectionKind, span: Span) -> Result<(), &'static str> {
        if kind == RejectionKind::Unavailable {
            return Err("nobody can tell");
        }
        let is_right = match (&self.bearer, kind) {
            (Subject::Forged, kind) => kind == RejectionKind::InvalidCredential,
            (
                Subject::User(person, _) | Subject::Session(person, _) | Subject::Key(person, _),
                RejectionKind::UserBanned,
            ) => person.may_be_banned(span),
            (Subject::Email(address, _), RejectionKind::UserBanned) => {
                let owners = address.owners();
                owners.iter().any(|(owner, _)| owner.may_be_banned(span))
            }
            (Subject::User(person, _), RejectionKind::UserNotFound) => {
                !person.exists.surely(span, 0)
            }
            (Subject::Email(address, _), RejectionKind::UserNotFound) => {
                address.sure_owner(span).is_none()
            }
            (Subject::User(person, visit), RejectionKind::NoActiveSession) => {
                !person.surely_has(visit.as_ref(), span)
            }
            (Subject::Email(address, visit), RejectionKind::NoActiveSession) => {
                let owner = address.sure_owner(span);
                owner.is_none_or(|owner| !owner.surely_has(visit.as_ref(), span))
            }
            (Subject::Session(_, visit), RejectionKind::InvalidCredential) => {
                !visit.is_active.surely(span, 0)
            }
            // A session that exists and has ended.
            (Subject::Session(_, visit), RejectionKind::NoActiveSession) => {
                !visit.is_active.surely(span, 0)
            }
            (Subject::Key(_, key), RejectionKind::InvalidCredential) => {
                !key.is_usable.surely(span, 0)
            }
            _ => false,
        };
        if is_right {
            Ok(())
        } else {
            Err("refused without a reason")
        }
    }
}

impl UserHistory {
    /// Whether a request may be accepted as this user.
    fn accepts(&self, user: &str, span: Span) -> Result<(), &'static str> {
        let late = nanos(LISTENER_BOUND);
        if self.id != user {
            return Err("somebody else's identity");
        }
        if !self.exists.possibly(span, late) {
            return Err("a user is accepted after the deletion");
        }
        if lock(&self.bans).iter().any(|ban| ban.surely(span, late)) {
            return Err("a banned user is accepted");
        }
        Ok(())
    }

    fn may_be_banned(&self, span: Span) -> bool {
        let late = nanos(LISTENER_BOUND);
        lock(&self.bans).iter().any(|ban| ban.possibly(span, late))
    }

    /// The named session, or the session of the response.
    fn visit(
        &self,
        named: Option<&Arc<SessionHistory>>,
        basis: &str,
    ) -> Result<Arc<SessionHistory>, &'static str> {
        if let Some(named) = named {
            return Ok(Arc::clone(named));
        }
        let visits = lock(&self.visits);
        let visit = visits.iter().find(|visit| visit.id == basis);
        visit.cloned().ok_or("somebody else's session")
    }

    fn surely_has(&self, named: Option<&Arc<SessionHistory>>, span: Span) -> bool {
        let is_sure =
            |visit: &Arc<SessionHistory>| visit.owner == self.id && visit.is_active.surely(span, 0);
        match named {
            Some(named) => is_sure(named),
            None => lock(&self.visits).iter().any(is_sure),
        }
    }
}

impl EmailHistory {
    pub(super) fn owners(
        &self,
    ) -> std::sync::MutexGuard<'_, Vec<(Arc<UserHistory>, Arc<Validity>)>> {
        lock(&self.owners)
    }

    fn sure_owner(&self, span: Span) -> Option<Arc<UserHistory>> {
        let owners = self.owners();
        let owner = owners
            .iter()
            .find(|(owner, has)| has.surely(span, 0) && owner.exists.surely(span, 0));
        owner.map(|(owner, _)| Arc::clone(owner))
    }
}

pub(super) fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One in this number of ended credentials is sent nevertheless.
const OVER: u64 = 16;

/// The number of credentials in use, valid and invalid.
const POOL: usize = 6000;

/// The credentials that clients choose from.
#[derive(Debug, Default)]
pub(super) struct Pool(RwLock<Vec<Arc<Credential>>>);

impl Pool {
    /// Adds a credential, replacing another one if the pool is full.
    pub(super) fn put(&self, credential: Credential, rng: &mut Rng) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let credential = Arc::new(credential);
        if all.len() < POOL {
            all.push(credential);
        } else {
            let place = rng.index(&all);
            all[place] = credential;
        }
    }

    /// A random credential, seldom an ended one, because each of those costs a database lookup.
    pub(super) fn any(&self, rng: &mut Rng) -> Arc<Credential> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        loop {
            let one = &all[rng.index(&all)];
            if !one.is_over() || rng.below(OVER) == 0 {
                return Arc::clone(one);
            }
        }
    }
}
