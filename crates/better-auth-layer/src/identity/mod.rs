//! Who sent a request: the user, the active session, and how both were proven.

mod api_key;
mod api_key_hash;
mod credential_kind;
mod fields;
mod member;
mod origin;
mod passage;
mod roles;
mod session;
mod session_token;
mod user;

use std::fmt;
use std::sync::Arc;

pub use self::api_key::ApiKey;
pub use self::api_key_hash::ApiKeyHash;
pub use self::credential_kind::CredentialKind;
pub use self::member::Member;
pub(crate) use self::origin::{Origin, Reproof};
#[cfg(feature = "axum")]
pub(crate) use self::passage::report_missing_layer;
pub(crate) use self::passage::{Anonymous, required};
pub use self::session::Session;
pub use self::session_token::SessionToken;
pub use self::user::User;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::rejection::Renderer;

/// The authenticated sender of a request. Found in the request's extensions behind
/// [`BetterAuthLayer`](crate::BetterAuthLayer); cheap to clone.
///
/// ```
/// use better_auth_layer::{Identity, Rejection};
///
/// fn greet<B>(request: &http::Request<B>) -> Result<String, Rejection> {
///     let identity = Identity::from_extensions(request.extensions())?;
///     Ok(format!("hello {}", identity.user().id()))
/// }
/// ```
///
/// `Debug` shows the ids and the kind of credential, never an e-mail address, a token or a claim.
#[derive(Clone)]
pub struct Identity(Arc<Proven>);

struct Proven {
    user: Arc<User>,
    basis: Basis,
    proof: Proof,
    /// `None`: made without a layer, for a test.
    origin: Option<Arc<dyn Origin>>,
}

/// What the user is here by.
#[derive(Clone)]
pub(crate) enum Basis {
    Session(Arc<Session>),
    ApiKey(Arc<ApiKey>),
}

/// How that was proven.
pub(crate) struct Proof {
    pub(crate) credential: CredentialKind,
    pub(crate) claims: Option<Arc<str>>,
    /// When the credential itself ends.
    pub(crate) expires_at: Timestamp,
    /// Whether it names the one session that it was made in.
    pub(crate) is_session_bound: bool,
    /// When it was judged.
    pub(crate) judged_at: Timestamp,
}

impl Identity {
    pub(crate) fn new(
        user: Arc<User>,
        basis: Basis,
        proof: Proof,
        origin: Option<Arc<dyn Origin>>,
    ) -> Self {
        Self(Arc::new(Proven {
            user,
            basis,
            proof,
            origin,
        }))
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// The session that was active when the request was authenticated. `None` for an [API key](Self::api_key), which
    /// stands for its owner without a session, and for nothing else.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.0.basis {
            Basis::Session(session) => Some(session),
            Basis::ApiKey(_) => None,
        }
    }

    /// Whether the credential names this very [session](Self::session): a session token, a session cookie, a JWT with the
    /// session's id in `sid`.
    ///
    /// `false` for any other JWT, whose session is merely one that the user has: Better Auth's own JWTs do not say in
    /// which session they were made. What is known of the session, such as its age or that an administrator acts in it,
    /// then says nothing about the sender.
    ///
    /// ```
    /// use better_auth_layer::Identity;
    ///
    /// /// Who really acts, as far as anybody knows.
    /// fn impersonator(identity: &Identity) -> Option<&str> {
    ///     identity.session().filter(|_| identity.is_session_bound())?.impersonated_by()
    /// }
    /// ```
    #[must_use]
    pub fn is_session_bound(&self) -> bool {
        self.0.proof.is_session_bound
    }

    /// The [session](Self::session), where the credential [names it](Self::is_session_bound): the one to ask for what depends
    /// on it, such as its age, its organization, or whether an administrator acts in it.
    #[must_use]
    pub fn bound_session(&self) -> Option<&Session> {
        self.session().filter(|_| self.is_session_bound())
    }

    /// The API key, where one was sent.
    ///
    /// ```
    /// use better_auth_layer::Identity;
    ///
    /// fn may_read_files(identity: &Identity) -> bool {
    ///     identity.api_key().is_none_or(|key| key.allows("files", "read"))
    /// }
    /// ```
    #[must_use]
    pub fn api_key(&self) -> Option<&ApiKey> {
        match &self.0.basis {
            Basis::Session(_) => None,
            Basis::ApiKey(key) => Some(key),
        }
    }

    /// What proved this identity.
    #[must_use]
    pub fn credential(&self) -> CredentialKind {
        self.0.proof.credential
    }

    /// When this proof ends: the expiry of the session or the API key, or the token's (with the leeway that is
    /// configured), whichever comes first. An API key that never ends has [`Timestamp::MAX`].
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        let basis = match &self.0.basis {
            Basis::Session(session) => session.expires_at(),
            Basis::ApiKey(key) => key.expires_at().unwrap_or(Timestamp::MAX),
        };
        basis.min(self.0.proof.expires_at)
    }

    /// When the request was authenticated, by the layer's clock.
    #[must_use]
    pub fn authenticated_at(&self) -> Timestamp {
        self.0.proof.judged_at
    }

    /// The verified token's claims as JSON text, for applications that put some of their own in.
    ///
    /// `None` for credentials that carry no claims. The claims were signed by whoever holds the key; apart from those
    /// named in the crate's documentation, nobody has looked at their content.
    ///
    /// ```
    /// # use better_auth_layer::Identity;
    /// #[derive(serde::Deserialize)]
    /// struct Tenant {
    ///     tenant: String,
    /// }
    ///
    /// fn tenant(identity: &Identity) -> Option<String> {
    ///     let claims = serde_json::from_str::<Tenant>(identity.claims_json()?).ok()?;
    ///     Some(claims.tenant)
    /// }
    /// ```
    #[must_use]
    pub fn claims_json(&self) -> Option<&str> {
        self.0.proof.claims.as_deref()
    }

    /// When the credential itself ends, whatever becomes of the session.
    pub(crate) fn credential_expires_at(&self) -> Timestamp {
        self.0.proof.expires_at
    }

    pub(crate) fn origin(&self) -> Option<&Arc<dyn Origin>> {
        self.0.origin.as_ref()
    }

    /// The time by the clock of the layer that made this identity.
    pub(crate) fn now(&self) -> Timestamp {
        match self.origin() {
            Some(origin) => origin.now(),
            None => SystemClock.now(),
        }
    }

    fn renderer(&self) -> Renderer {
        let origin = self.origin();
        origin
            .map(|origin| origin.renderer().clone())
            .unwrap_or_default()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("user_id", &self.user().id())
            .field("credential", &self.credential())
            .finish_non_exhaustive()
    }
}
