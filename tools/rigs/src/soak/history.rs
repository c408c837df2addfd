//! Who there is, what they hold, and what a request with it may be answered.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use better_auth_layer::RejectionKind;
use http::{HeaderName, HeaderValue};

use super::validity::{Span, Tenure, nanos};
use support::rng::Dice;

/// How late a revocation may be at most, as `PostgresListener` states it.
const LISTENER_BOUND: Duration = Duration::from_millis(1500);
/// How late the end of an API key may be, of which the listener hears nothing: `CachedStoreBuilder::ttl`.
const TTL_BOUND: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) exists: Tenure,
    pub(super) bans: Mutex<Vec<Arc<Tenure>>>,
    pub(super) visits: Mutex<Vec<Arc<Visit>>>,
}

/// A session.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) token: String,
    pub(super) is_active: Tenure,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) is_usable: Tenure,
}

/// An e-mail address and all who had it, one after the other.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) text: String,
    pub(super) owners: Mutex<Vec<(Arc<Person>, Arc<Tenure>)>>,
}

/// Whom a credential names.
#[derive(Debug)]
pub(super) enum Bearer {
    /// Whoever has an address, perhaps in one session.
    Address(Arc<Address>, Option<Arc<Visit>>),
    /// A user, perhaps in one session.
    Subject(Arc<Person>, Option<Arc<Visit>>),
    /// The holder of a session token.
    Visit(Arc<Person>, Arc<Visit>),
    Key(Arc<Person>, Arc<Key>),
    /// Nobody: the signature or the text is forged.
    Nobody,
}

#[derive(Debug)]
pub(super) struct Credential {
    pub(super) kind: &'static str,
    pub(super) header: (HeaderName, HeaderValue),
    pub(super) bearer: Bearer,
}

/// What a client was answered.
#[derive(Debug)]
pub(super) enum Reply {
    /// The ids of a user and of a session or an API key.
    Identity(String, String),
    Refused(RejectionKind),
}

/// An answer that may be given, and for how long what it says had been over by then.
pub(super) type CheckStatus = Result<Option<u64>, &'static str>;

impl Credential {
    /// What it names is gone for good.
    fn is_over(&self) -> bool {
        match &self.bearer {
            Bearer::Address(_, Some(visit))
            | Bearer::Subject(_, Some(visit))
            | Bearer::Visit(_, visit) => visit.is_active.is_over(),
            Bearer::Subject(person, None) => person.exists.is_over(),
            Bearer::Key(_, key) => key.is_usable.is_over(),
            Bearer::Address(_, None) | Bearer::Nobody => false,
        }
    }

    pub(super) fn judge(&self, reply: &Reply, span: Span) -> CheckStatus {
        match reply {
            Reply::Identity(user, basis) => self.judge_identity(user, basis, span),
            Reply::Refused(kind) => self.judge_refusal(*kind, span).map(|()| None),
        }
    }

    fn judge_identity(&self, user: &str, basis: &str, span: Span) -> CheckStatus {
        let late = nanos(LISTENER_BOUND);
        let named = match &self.bearer {
            Bearer::Nobody => return Err("a forged credential is accepted"),
            Bearer::Subject(person, visit) => {
                person.accepts(user, span)?;
                person.visit(visit.as_ref(), basis)?
            }
            Bearer::Address(address, visit) => {
                let owners = address.owners();
                let mut of_that_id = owners.iter().filter(|(owner, _)| owner.id == user);
                let owner = of_that_id.find(|(_, has)| has.possibly(span, late));
                let (person, _) = owner.ok_or("not the address's owner")?;
                person.accepts(user, span)?;
                person.visit(visit.as_ref(), basis)?
            }
            Bearer::Visit(person, visit) => {
                person.accepts(user, span)?;
                Arc::clone(visit)
            }
            Bearer::Key(person, key) => {
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
            (Bearer::Nobody, kind) => kind == RejectionKind::InvalidCredential,
            (
                Bearer::Subject(person, _) | Bearer::Visit(person, _) | Bearer::Key(person, _),
                RejectionKind::UserBanned,
            ) => person.may_be_banned(span),
            (Bearer::Address(address, _), RejectionKind::UserBanned) => {
                let owners = address.owners();
                owners.iter().any(|(owner, _)| owner.may_be_banned(span))
            }
            (Bearer::Subject(person, _), RejectionKind::UserNotFound) => {
                !person.exists.surely(span, 0)
            }
            (Bearer::Address(address, _), RejectionKind::UserNotFound) => {
                address.sure_owner(span).is_none()
            }
            (Bearer::Subject(person, visit), RejectionKind::NoActiveSession) => {
                !person.surely_has(visit.as_ref(), span)
            }
            (Bearer::Address(address, visit), RejectionKind::NoActiveSession) => {
                let owner = address.sure_owner(span);
                owner.is_none_or(|owner| !owner.surely_has(visit.as_ref(), span))
            }
            (Bearer::Visit(_, visit), RejectionKind::InvalidCredential) => {
                !visit.is_active.surely(span, 0)
            }
            // A session that is there and over.
            (Bearer::Visit(_, visit), RejectionKind::NoActiveSession) => {
                !visit.is_active.surely(span, 0)
            }
            (Bearer::Key(_, key), RejectionKind::InvalidCredential) => {
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

impl Person {
    /// Whether a request may be let in as this user.
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

    /// The session that is named, or the one that the answer says.
    fn visit(&self, named: Option<&Arc<Visit>>, basis: &str) -> Result<Arc<Visit>, &'static str> {
        if let Some(named) = named {
            return Ok(Arc::clone(named));
        }
        let visits = lock(&self.visits);
        let visit = visits.iter().find(|visit| visit.id == basis);
        visit.cloned().ok_or("somebody else's session")
    }

    fn surely_has(&self, named: Option<&Arc<Visit>>, span: Span) -> bool {
        let is_sure =
            |visit: &Arc<Visit>| visit.owner == self.id && visit.is_active.surely(span, 0);
        match named {
            Some(named) => is_sure(named),
            None => lock(&self.visits).iter().any(is_sure),
        }
    }
}

impl Address {
    pub(super) fn owners(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<Person>, Arc<Tenure>)>> {
        lock(&self.owners)
    }

    fn sure_owner(&self, span: Span) -> Option<Arc<Person>> {
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

/// One in so many of those that are over is sent all the same.
const OVER: u64 = 16;

/// How many credentials are in use at a time, good ones and bad ones.
const POOL: usize = 6000;

/// What the clients choose from.
#[derive(Debug, Default)]
pub(super) struct Pool(RwLock<Vec<Arc<Credential>>>);

impl Pool {
    /// Puts one in, in place of another if there are enough.
    pub(super) fn put(&self, credential: Credential, dice: &mut Dice) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let credential = Arc::new(credential);
        if all.len() < POOL {
            all.push(credential);
        } else {
            let place = dice.index(&all);
            all[place] = credential;
        }
    }

    /// One of those that are over now and then, since each of them costs a lookup in the database.
    pub(super) fn any(&self, dice: &mut Dice) -> Arc<Credential> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        loop {
            let one = &all[dice.index(&all)];
            if !one.is_over() || dice.throw(OVER) == 0 {
                return Arc::clone(one);
            }
        }
    }
}
