//! Identities without a deployment.

use std::sync::Arc;

use super::panic::fail;
use crate::api_key::ApiKey;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::identity::{Authentication, CredentialKind, Identity, Session, SessionOrApiKey, User};

/// An identity for unit tests of handlers: this user with this session, as if authenticated by a
/// session cookie now.
///
/// The identity is not validated, so a test can use one that a layer would reject. If the
/// credential kind, the claims or the time matter, use
/// [`TestDeployment::identity`](super::TestDeployment::identity).
///
/// ```
/// use better_auth_layer::{Identity, Session, User, testing};
/// use better_auth_layer::clock::Timestamp;
///
/// fn greet(identity: &Identity) -> String {
///     format!("hello {}", identity.user().name().unwrap_or("stranger"))
/// }
///
/// let ada = User::new("usr_1", "ada@example.com").with_name("Ada");
/// let identity = testing::identity(ada, Session::new("ses_1", "usr_1", Timestamp::MAX));
/// assert_eq!(greet(&identity), "hello Ada");
/// ```
///
/// # Panics
///
/// If the session belongs to another user.
#[must_use]
#[track_caller]
pub fn identity(user: User, session: Session) -> Identity {
    if session.user_id() != user.id() {
        fail("the session is another user's");
    }
    let basis = SessionOrApiKey::Session(Arc::new(session));
    prove(user, basis, CredentialKind::SessionCookie)
}

/// The same for an API key: an identity without a session.
///
/// ```
/// use better_auth_layer::{ApiKey, User, testing};
/// use better_auth_layer::api_key::ApiKeyHash;
///
/// let key = ApiKey::new("key_1", "usr_1", ApiKeyHash::from_key("app_dGhlIGtleSBpdHNlbGY"))
///     .with_permissions_json(r#"{"files":["read"]}"#);
/// let identity = testing::api_key_identity(User::new("usr_1", "ada@example.com"), key);
/// assert!(identity.session().is_none());
/// ```
///
/// # Panics
///
/// If the key belongs to another user.
#[must_use]
#[track_caller]
pub fn api_key_identity(user: User, api_key: ApiKey) -> Identity {
    if api_key.reference_id() != user.id() {
        fail("the API key is another user's");
    }
    let basis = SessionOrApiKey::ApiKey(Arc::new(api_key));
    prove(user, basis, CredentialKind::ApiKey)
}

fn prove(user: User, basis: SessionOrApiKey, credential: CredentialKind) -> Identity {
    let proof = Authentication {
        credential,
        claims: None,
        expires_at: Timestamp::MAX,
        is_session_bound: matches!(basis, SessionOrApiKey::Session(_)),
        authenticated_at: SystemClock.now(),
    };
    Identity::new(Arc::new(user), basis, proof, None)
}
