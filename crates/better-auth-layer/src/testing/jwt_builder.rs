//! Mints JWTs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::deployment::{Deployment, jws, mac};
use super::json_object::JsonObject;
use super::signing_key::SigningKey;
use super::{Credential, TestSession, random};

/// A quarter of an hour (`jwt.expirationTime`), in seconds.
const LIFETIME: i64 = 15 * 60;

/// A JWT about to be minted; made by [`TestSession::jwt`] and [`TestSession::secret_jwt`].
///
/// As it is, it is good. What a service has to refuse is one method away:
///
/// | bad in what way | how |
/// |---|---|
/// | expired | [`expired`](Self::expired), or [`advance`](super::TestDeployment::advance) the clock |
/// | signed with another key or secret | [`forged`](Self::forged) |
/// | signature or content changed on the way | [`Credential::tampered`] |
/// | of a key that nobody knows | `header("kid", "unknown")` |
/// | of another issuer, for another audience | `claim("iss", …)`, `claim("aud", …)` |
/// | another type of token | `header("typ", "at+jwt")` |
/// | not complete | [`without_claim`](Self::without_claim) |
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
    /// As Better Auth's JWT plugin writes it.
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

    /// As an application does that follows the advice in this crate's documentation.
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

    /// Sets a claim, in place of the one that is there: text, a number, a list, anything that serde can write.
    ///
    /// # Panics
    ///
    /// When the value cannot be written as JSON.
    #[track_caller]
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        self.claims.set(name, value);
        self
    }

    /// Takes a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a member of the header, in place of the one that is there: `typ`, `kid`, `alg`. The key that signs stays the
    /// same one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.header.set(name, value);
        self
    }

    /// Binds the token to its session, by the session's id in `sid`: it then ends with this session.
    pub fn in_session(self) -> Self {
        let session_id = self.session_id.clone();
        self.claim("sid", session_id)
    }

    /// Sets when it ends, from now on. Default: a quarter of an hour. In whole seconds.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let expires_at = self.issued_at.saturating_add(lifetime);
        self.claim("exp", expires_at)
    }

    /// Makes it one that was minted a while ago and ended a second ago.
    pub fn expired(self) -> Self {
        let expired_at = self.issued_at - 1;
        self.claim("iat", expired_at - LIFETIME)
            .claim("exp", expired_at)
    }

    /// Signs it with a key of the same kind that is not the issuer's, or with another secret. The header stays the same.
    pub fn forged(mut self) -> Self {
        self.signer = match self.signer {
            Signer::Secret(_) => Signer::Secret(random::id()),
            Signer::Key(_) => Signer::Key(Arc::new(self.deployment.keys.stranger())),
        };
        self
    }

    /// Signs it.
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
