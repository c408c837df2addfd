//! JWTs of the test deployment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::json::JsonObject;
use super::keys::SigningKey;
use super::state::{Deployment, jws, mac};
use super::{Credential, TestSession, random};

/// A quarter of an hour (`jwt.expirationTime`), in seconds.
const LIFETIME: i64 = 15 * 60;

/// Builder of a JWT, created by [`TestSession::jwt`] and [`TestSession::secret_jwt`].
///
/// By default the token is valid. Invalid tokens for negative tests:
///
/// | invalid because | method |
/// |---|---|
/// | expired | [`expired`](Self::expired), or [`advance`](super::TestDeployment::advance) the clock |
/// | signed with another key or secret | [`forged`](Self::forged) |
/// | changed signature or content | [`Credential::tampered`] |
/// | unknown key id | `header("kid", "unknown")` |
/// | another issuer or audience | `claim("iss", …)`, `claim("aud", …)` |
/// | another type of token | `header("typ", "at+jwt")` |
/// | incomplete | [`without_claim`](Self::without_claim) |
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::testing::TestDeployment;
///
/// let issuer = TestDeployment::new();
/// let session = issuer.user("ada@example.com").create().sign_in();
///
/// let good = session.jwt().claim("scopes", ["read", "write"]).expires_in(Duration::from_secs(60)).mint();
/// let bad = session.jwt().claim("aud", "https://other.example.com").mint();
/// # let _ = (good, bad);
/// ```
#[must_use = "a builder does nothing until `mint` is called"]
pub struct JwtBuilder {
    deployment: Arc<Deployment>,
    session_id: String,
    issued_at: i64,
    header: JsonObject,
    claims: JsonObject,
    signer: Signer,
}

enum Signer {
    Secret(String),
    Key(Arc<SigningKey>),
}

impl JwtBuilder {
    /// A token like those of Better Auth's JWT plugin.
    pub(super) fn of_plugin(deployment: Arc<Deployment>, session: &TestSession) -> Self {
        let key = deployment.keys.current();
        let issued_at = deployment.now().as_unix_seconds();
        let claims = JsonObject::new()
            .with("iat", issued_at)
            .with_all(session.user().to_json_object())
            .with("sub", session.user().id())
            .with("exp", issued_at + LIFETIME)
            .with("iss", &deployment.origin)
            .with("aud", &deployment.origin);
        Self {
            session_id: session.id().to_owned(),
            issued_at,
            header: JsonObject::new()
                .with("alg", key.algorithm().as_str())
                .with("kid", key.kid()),
            claims,
            signer: Signer::Key(key),
            deployment,
        }
    }

    /// A token as this crate's documentation recommends it to applications.
    pub(super) fn of_secret(deployment: Arc<Deployment>, session: &TestSession) -> Self {
        let issued_at = deployment.now().as_unix_seconds();
        let claims = JsonObject::new()
            .with("email", session.user().email())
            .with("sub", session.user().id())
            .with("iss", &deployment.origin)
            .with("iat", issued_at)
            .with("exp", issued_at + LIFETIME);
        Self {
            session_id: session.id().to_owned(),
            issued_at,
            header: JsonObject::new().with("alg", "HS256").with("typ", "JWT"),
            claims,
            signer: Signer::Secret(deployment.secret.clone()),
            deployment,
        }
    }

    /// Sets or replaces a claim. The value is any type that serde can serialize.
    ///
    /// # Panics
    ///
    /// If the value cannot be serialized.
    #[track_caller]
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        self.claims.set(name, value);
        self
    }

    /// Removes a claim.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets or replaces a header member: `typ`, `kid`, `alg`. The signing key does not change.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.header.set(name, value);
        self
    }

    /// Binds the token to its session with the claim `sid`, so that it ends with the session.
    pub fn in_session(self) -> Self {
        let session_id = self.session_id.clone();
        self.claim("sid", session_id)
    }

    /// Sets the lifetime in whole seconds. Default: fifteen minutes.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let expires_at = self.issued_at.saturating_add(lifetime);
        self.claim("exp", expires_at)
    }

    /// Makes a token that has expired one second ago.
    pub fn expired(self) -> Self {
        let expired_at = self.issued_at - 1;
        self.claim("iat", expired_at - LIFETIME)
            .claim("exp", expired_at)
    }

    /// Signs with an unknown key of the same kind, or with another secret. The header does not
    /// change.
    pub fn forged(mut self) -> Self {
        self.signer = match self.signer {
            Signer::Secret(_) => Signer::Secret(random::id()),
            Signer::Key(_) => Signer::Key(Arc::new(self.deployment.keys.stranger())),
        };
        self
    }

    /// Signs the token.
    pub fn mint(self) -> Credential {
        let (header, claims) = (&self.header, &self.claims);
        Credential::bearer(match &self.signer {
            Signer::Secret(secret) => jws(header, claims, |input| mac(secret, input)),
            Signer::Key(key) => jws(header, claims, |input| key.sign(input.as_bytes())),
        })
    }
}

impl fmt::Debug for JwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
