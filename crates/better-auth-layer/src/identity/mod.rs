//! Who sent a request: the user, the active session, and how both were proven.

mod session;
mod session_token;
mod user;

use std::fmt;
use std::sync::Arc;

pub use self::session::Session;
pub use self::session_token::SessionToken;
pub use self::user::User;
use crate::clock::Timestamp;

/// The authenticated sender of a request. Found in the request's extensions behind
/// [`BetterAuthLayer`](crate::BetterAuthLayer); cheap to clone.
///
/// ```
/// use better_auth_layer::Identity;
///
/// fn greet<B>(request: &http::Request<B>) -> String {
///     match request.extensions().get::<Identity>() {
///         Some(identity) => format!("hello {}", identity.user().id()),
///         None => "this route is not behind the layer".to_owned(),
///     }
/// }
/// ```
///
/// `Debug` shows the ids and the kind of credential, never an e-mail address, a token or a claim.
#[derive(Clone)]
pub struct Identity(Arc<Proven>);

struct Proven {
    user: Arc<User>,
    session: Arc<Session>,
    credential: CredentialKind,
    claims: Option<String>,
    expires_at: Timestamp,
}

impl Identity {
    pub(crate) fn from_token(
        user: Arc<User>,
        session: Arc<Session>,
        credential: CredentialKind,
        claims: String,
        token_expires_at: Timestamp,
    ) -> Self {
        let expires_at = session.expires_at().min(token_expires_at);
        Self(Arc::new(Proven {
            user,
            session,
            credential,
            claims: Some(claims),
            expires_at,
        }))
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// The session that was active when the request was authenticated.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// What proved this identity.
    #[must_use]
    pub fn credential(&self) -> CredentialKind {
        self.0.credential
    }

    /// When this proof ends: the session's expiry or the token's (with the leeway that is configured), whichever comes
    /// first.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
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
        self.0.claims.as_deref()
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

/// The kinds of credential that prove an [`Identity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// A JWT that the application signed with the deployment's secret (HS256), sent as a bearer token.
    SecretJwt,
}

impl CredentialKind {
    /// The name used in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretJwt => "secret_jwt",
        }
    }
}
