//! The authenticated identity of a request: user, session or API key, and the credential kind.
//!
//! An identity keeps a [`LayerHandle`] to the layer that created it. Rejections, freshness checks
//! and open streams therefore use that layer's renderer, clock and store without configuration.

mod credential_kind;
mod extensions;
mod layer_handle;
mod member;
mod roles;
mod session;
mod user;

use std::fmt;
use std::sync::Arc;

pub use self::credential_kind::CredentialKind;
#[cfg(feature = "axum")]
pub(crate) use self::extensions::report_missing_layer;
pub(crate) use self::extensions::{Anonymous, required};
pub(crate) use self::layer_handle::{LayerHandle, Reauthentication};
pub use self::member::Member;
pub use self::session::{Session, SessionToken};
pub use self::user::User;
use crate::api_key::ApiKey;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::rejection::Renderer;

/// The authenticated identity of a request.
///
/// [`BetterAuthLayer`](crate::BetterAuthLayer) inserts it into the request's extensions. Cloning is
/// cheap.
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
/// `Debug` shows the user id and the credential kind, never an email, a token or a claim.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    user: Arc<User>,
    session_or_api_key: SessionOrApiKey,
    authentication: Authentication,
    /// `None` for identities that tests create without a layer.
    layer: Option<Arc<dyn LayerHandle>>,
}

#[derive(Clone)]
pub(crate) enum SessionOrApiKey {
    Session(Arc<Session>),
    ApiKey(Arc<ApiKey>),
}

/// How the request was authenticated.
pub(crate) struct Authentication {
    pub(crate) credential: CredentialKind,
    pub(crate) claims: Option<Arc<str>>,
    /// The expiry of the credential, independent of the session.
    pub(crate) expires_at: Timestamp,
    pub(crate) is_session_bound: bool,
    pub(crate) authenticated_at: Timestamp,
}

impl Identity {
    pub(crate) fn new(
        user: Arc<User>,
        session_or_api_key: SessionOrApiKey,
        authentication: Authentication,
        layer: Option<Arc<dyn LayerHandle>>,
    ) -> Self {
        Self(Arc::new(Inner {
            user,
            session_or_api_key,
            authentication,
            layer,
        }))
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// The session that was active when the request was authenticated.
    ///
    /// `None` for an [API key](Self::api_key), which authenticates its owner without a session.
    /// Every other credential has a session.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        match &self.0.session_or_api_key {
            SessionOrApiKey::Session(session) => Some(session),
            SessionOrApiKey::ApiKey(_) => None,
        }
    }

    /// Whether the credential identifies this [session](Self::session): a session token, a session
    /// cookie, or a JWT with the session id in `sid`.
    ///
    /// `false` for any other JWT. Better Auth's own JWTs do not contain the session they were
    /// created in, so [`session`](Self::session) returns one of the user's active sessions. The
    /// age, the impersonator and the active organization of that session do not describe the
    /// sender.
    ///
    /// ```
    /// use better_auth_layer::Identity;
    ///
    /// /// The administrator who impersonates the user, if the credential identifies the session.
    /// fn impersonator(identity: &Identity) -> Option<&str> {
    ///     identity.session().filter(|_| identity.is_session_bound())?.impersonated_by()
    /// }
    /// ```
    #[must_use]
    pub fn is_session_bound(&self) -> bool {
        self.0.authentication.is_session_bound
    }

    /// The [session](Self::session), if the credential [identifies it](Self::is_session_bound).
    ///
    /// Use this one for decisions that depend on the session's age, organization or impersonator.
    #[must_use]
    pub fn bound_session(&self) -> Option<&Session> {
        self.session().filter(|_| self.is_session_bound())
    }

    /// The API key, if the request was authenticated with one.
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
        match &self.0.session_or_api_key {
            SessionOrApiKey::Session(_) => None,
            SessionOrApiKey::ApiKey(key) => Some(key),
        }
    }

    /// The kind of the credential.
    #[must_use]
    pub fn credential(&self) -> CredentialKind {
        self.0.authentication.credential
    }

    /// When this identity expires: the expiry of the session or the API key, or of the token
    /// (including the configured leeway), whichever is first.
    ///
    /// An API key without an expiry returns [`Timestamp::MAX`].
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        let expires_at = match &self.0.session_or_api_key {
            SessionOrApiKey::Session(session) => session.expires_at(),
            SessionOrApiKey::ApiKey(key) => key.expires_at().unwrap_or(Timestamp::MAX),
        };
        expires_at.min(self.credential_expires_at())
    }

    /// When the request was authenticated, according to the layer's clock.
    #[must_use]
    pub fn authenticated_at(&self) -> Timestamp {
        self.0.authentication.authenticated_at
    }

    /// The claims of the verified JWT as JSON text, for claims that the application adds.
    ///
    /// `None` for credentials without claims. The signature covers all claims, but the layer
    /// validates only those that the [crate documentation](crate) lists.
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
        self.0.authentication.claims.as_deref()
    }

    /// The expiry of the credential, independent of the session.
    pub(crate) fn credential_expires_at(&self) -> Timestamp {
        self.0.authentication.expires_at
    }

    pub(crate) fn layer(&self) -> Option<&Arc<dyn LayerHandle>> {
        self.0.layer.as_ref()
    }

    /// The current time according to the layer's clock.
    pub(crate) fn now(&self) -> Timestamp {
        match self.layer() {
            Some(layer) => layer.now(),
            None => SystemClock.now(),
        }
    }

    fn renderer(&self) -> Renderer {
        self.layer()
            .map(|layer| layer.renderer().clone())
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
