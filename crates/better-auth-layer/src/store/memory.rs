//! A store in memory, for the tests of services.

use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::identity::{Member, Session, User};
use crate::store::{Lookup, LookupKey, LookupKind, Resolution, StoreError, UserStore};
use crate::sync::{Mutex, lock};

/// Users, sessions and memberships in memory, for unit tests of a service behind the layer.
///
/// Clones share their contents. Keep a clone to change the contents while the service runs.
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, Secret, Session, User};
/// use better_auth_layer::clock::Timestamp;
/// use better_auth_layer::store::MemoryStore;
///
/// let store = MemoryStore::new();
/// store.insert_user(User::new("usr_1", "ada@example.com"));
/// store.insert_session(Session::new("ses_1", "usr_1", Timestamp::MAX));
///
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new("correct-horse-battery-staple-4711")?)
///     .store(store.clone())
///     .build()?;
///
/// store.remove_session("ses_1"); // Ada signs out.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    users: Vec<Arc<User>>,
    sessions: Vec<Arc<Session>>,
    api_keys: Vec<Arc<ApiKey>>,
    members: Vec<Member>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user. Replaces one with the same id.
    pub fn insert_user(&self, user: User) {
        self.change(|tables| {
            tables.users.retain(|other| other.id() != user.id());
            tables.users.push(Arc::new(user));
        });
    }

    /// Adds a session. Replaces one with the same id.
    pub fn insert_session(&self, session: Session) {
        self.change(|tables| {
            tables.sessions.retain(|other| other.id() != session.id());
            tables.sessions.push(Arc::new(session));
        });
    }

    /// Adds an API key. Replaces one with the same id.
    pub fn insert_api_key(&self, key: ApiKey) {
        self.change(|tables| {
            tables.api_keys.retain(|other| other.id() != key.id());
            tables.api_keys.push(Arc::new(key));
        });
    }

    /// Removes an API key.
    pub fn remove_api_key(&self, id: &str) {
        self.change(|tables| tables.api_keys.retain(|key| key.id() != id));
    }

    /// Adds a membership. Replaces the user's previous membership in the organization.
    ///
    /// ```
    /// use better_auth_layer::organization::Member;
    /// use better_auth_layer::store::MemoryStore;
    ///
    /// let store = MemoryStore::new();
    /// store.insert_member(Member::new("usr_1", "org_1").with_role("owner"));
    /// store.remove_member("usr_1", "org_1");
    /// ```
    pub fn insert_member(&self, member: Member) {
        self.change(|tables| {
            tables
                .members
                .retain(|other| !other.is_of(member.user_id(), member.organization_id()));
            tables.members.push(member);
        });
    }

    /// Looks up a membership.
    pub(crate) fn find_member(&self, user_id: &str, organization_id: &str) -> Option<Member> {
        let tables = lock(&self.tables);
        let mut members = tables.members.iter();
        members
            .find(|member| member.is_of(user_id, organization_id))
            .cloned()
    }

    /// Ends a user's membership in an organization.
    pub fn remove_member(&self, user_id: &str, organization_id: &str) {
        self.change(|tables| {
            let members = &mut tables.members;
            members.retain(|member| !member.is_of(user_id, organization_id));
        });
    }

    /// Removes a user with all sessions and memberships.
    pub fn remove_user(&self, id: &str) {
        self.change(|tables| {
            tables.users.retain(|user| user.id() != id);
            tables.sessions.retain(|session| session.user_id() != id);
            tables.members.retain(|member| member.user_id() != id);
        });
    }

    /// Removes a session.
    pub fn remove_session(&self, id: &str) {
        self.change(|tables| tables.sessions.retain(|session| session.id() != id));
    }

    /// Removes all sessions of a user.
    pub fn remove_sessions_of(&self, user_id: &str) {
        self.change(|tables| {
            tables
                .sessions
                .retain(|session| session.user_id() != user_id);
        });
    }

    fn find(&self, lookup: &Lookup<'_>) -> Resolution {
        lock(&self.tables).resolve(lookup)
    }

    fn change(&self, change: impl FnOnce(&mut Tables)) {
        change(&mut lock(&self.tables));
    }
}

impl UserStore for MemoryStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        Ok(self.find(&lookup))
    }

    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        Some(self.find(lookup))
    }

    fn supports(&self, _: LookupKind) -> bool {
        true
    }
}

impl Tables {
    fn resolve(&self, lookup: &Lookup<'_>) -> Resolution {
        let user = match lookup.key() {
            LookupKey::Email(email) => {
                let by_email = |email: &str| self.users.iter().find(|user| user.email() == email);
                by_email(email.as_str()).or_else(|| by_email(email.to_lowercase()))
            }
            LookupKey::UserId(id) => self.user(id),
            LookupKey::ApiKey(hash) => {
                let mut keys = self.api_keys.iter();
                return match keys.find(|key| *key.hash() == **hash) {
                    None => Resolution::ApiKeyNotFound,
                    Some(key) => match self.user(key.reference_id()) {
                        Some(user) => Resolution::found_api_key(Arc::clone(user), Arc::clone(key)),
                        None => Resolution::UserNotFound,
                    },
                };
            }
            LookupKey::SessionToken(token) => {
                let session = self.sessions.iter().find(|session| {
                    session
                        .token()
                        .is_some_and(|other| other.expose() == token.expose())
                });
                let Some(session) = session.filter(|session| session.is_active_at(lookup.now()))
                else {
                    return Resolution::NoActiveSession;
                };
                return match self.user(session.user_id()) {
                    Some(_) if lookup.session_id().is_some_and(|id| id != session.id()) => {
                        Resolution::NoActiveSession
                    }
                    Some(user) => Resolution::found(Arc::clone(user), Arc::clone(session)),
                    None => Resolution::UserNotFound,
                };
            }
        };
        let Some(user) = user else {
            return Resolution::UserNotFound;
        };
        let sessions = self.sessions.iter().filter(|session| {
            session.user_id() == user.id()
                && session.is_active_at(lookup.now())
                && lookup.session_id().is_none_or(|id| id == session.id())
        });
        match sessions.min_by(|a, b| a.cmp_by_preference(b)) {
            Some(session) => Resolution::found(Arc::clone(user), Arc::clone(session)),
            None => Resolution::NoActiveSession,
        }
    }

    fn user(&self, id: &str) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.id() == id)
    }
}
