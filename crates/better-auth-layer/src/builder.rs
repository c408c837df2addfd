//! Configures a [`BetterAuthLayer`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::authenticator::{Authenticator, Inner};
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::layer::BetterAuthLayer;
use crate::secret::{Secret, SecretRing};
use crate::store::{DynUserStore, LookupKind, UserStore};
use crate::verify::{ClaimPolicy, SecretJwtVerifier, self_check};

/// More would make `exp` a suggestion.
const MAXIMUM_LEEWAY: Duration = Duration::from_secs(300);

/// The claims with a meaning of their own, which cannot also name the session.
const RESERVED_CLAIMS: [&str; 10] = [
    "exp",
    "nbf",
    "iat",
    "iss",
    "aud",
    "sub",
    "email",
    "updateTo",
    "requestType",
    "session",
];

/// Configures a [`BetterAuthLayer`]; made by [`BetterAuthLayer::builder`].
///
/// A secret and a store are needed, everything else has a default that is the safe choice.
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::{BetterAuthLayer, ConfigError, Resolution, Secret, StoreError, store_fn};
///
/// # let store = store_fn(|_| async { Ok::<_, StoreError>(Resolution::UserNotFound) });
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new("correct-horse-battery-staple-4711").expect("a good secret"))
///     .issuer("https://app.example.com")
///     .leeway(Duration::from_secs(5))
///     .store(store)
///     .build()?;
/// # Ok::<(), ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct BetterAuthLayerBuilder {
    secrets: Option<SecretRing>,
    accept_previous_secrets: bool,
    store: Option<Arc<dyn DynUserStore>>,
    clock: Arc<dyn Clock>,
    issuer: Option<String>,
    audiences: Vec<String>,
    require_audience: bool,
    require_binding: bool,
    require_matching_subject: bool,
    require_verified_email: bool,
    session_id_claim: String,
    leeway: Duration,
    lookup_timeout: Duration,
    retry_after: Duration,
}

impl BetterAuthLayer {
    /// Starts configuring a layer.
    pub fn builder() -> BetterAuthLayerBuilder {
        BetterAuthLayerBuilder::new()
    }
}

impl BetterAuthLayerBuilder {
    fn new() -> Self {
        Self {
            secrets: None,
            accept_previous_secrets: false,
            store: None,
            clock: Arc::new(SystemClock),
            issuer: None,
            audiences: Vec::new(),
            require_audience: false,
            require_binding: true,
            require_matching_subject: false,
            require_verified_email: false,
            session_id_claim: "sid".to_owned(),
            leeway: Duration::ZERO,
            lookup_timeout: Duration::from_secs(10),
            retry_after: Duration::from_secs(1),
        }
    }

    /// Sets the secret shared with Better Auth. Tokens signed with it (HS256) are accepted as bearer tokens.
    pub fn secret(self, secret: Secret) -> Self {
        self.secrets(SecretRing::new(secret))
    }

    /// Sets the secret together with those before it.
    pub fn secrets(mut self, secrets: SecretRing) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Also accepts what was signed with a previous secret of the ring. Off by default, as in Better Auth.
    pub fn accept_previous_secrets(mut self) -> Self {
        self.accept_previous_secrets = true;
        self
    }

    /// Sets where users and sessions are looked up.
    pub fn store(mut self, store: impl UserStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the clock. The default is the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Requires the claim `iss` to be exactly this text. Without it any issuer or none is accepted, and building the
    /// layer logs a warning: the secret alone then separates this deployment's tokens from all others.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Adds a value of `aud` that means this service. Without any it is the [issuer](Self::issuer).
    ///
    /// A token that names audiences must name one of these (RFC 7519 §4.1.3); one that names none is accepted unless
    /// [`require_audience`](Self::require_audience) is set.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Refuses tokens without `aud`.
    pub fn require_audience(mut self) -> Self {
        self.require_audience = true;
        self
    }

    /// Refuses tokens whose `sub` is not the id of the user with the token's e-mail address, or that have none.
    ///
    /// Off by default, as the address alone is the contract; a mismatch is then logged. With it, an address that has
    /// passed to another account does not carry over.
    pub fn require_matching_subject(mut self) -> Self {
        self.require_matching_subject = true;
        self
    }

    /// Refuses users whose e-mail address is not verified. Off by default, as in Better Auth.
    ///
    /// Anybody can sign up with anybody's address; until it is verified it proves nothing about its owner.
    pub fn require_verified_email(mut self) -> Self {
        self.require_verified_email = true;
        self
    }

    /// Sets the claim that names the one session a token is for. Default: `sid`.
    ///
    /// A token with the claim gets exactly that session or none. A token without it gets the user's
    /// [preferred](crate::Session::preferred) one.
    pub fn session_id_claim(mut self, claim: impl Into<String>) -> Self {
        self.session_id_claim = claim.into();
        self
    }

    /// Sets how far the clocks of issuer and verifier may differ, for `exp` and `nbf`. Default: zero, as in Better Auth;
    /// at most 300 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets how long any store may take before the request is answered with `503`. Default: 10 seconds, an outer limit
    /// around the shorter deadlines that stores have themselves.
    pub fn lookup_timeout(mut self, timeout: Duration) -> Self {
        self.lookup_timeout = timeout;
        self
    }

    /// Sets the `Retry-After` of a `503`, in whole seconds. Default and least: one second.
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = after;
        self
    }

    /// Accepts tokens that nothing tells from Better Auth's own e-mail verification tokens: those with neither a
    /// header `typ` nor a claim `sub`, `iss` or `aud`.
    ///
    /// Every mail link that Better Auth ever sent is then a way to sign in as its addressee, for whoever sees it.
    pub fn dangerous_accept_unbound_tokens(mut self) -> Self {
        self.require_binding = false;
        self
    }

    /// Builds the layer. Does no input or output: the store may be down.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a setting is missing or cannot be used, when the store cannot answer a lookup that the
    /// settings need, or when the linked cryptography fails its self-check.
    pub fn build(self) -> Result<BetterAuthLayer, ConfigError> {
        let Some(secrets) = self.secrets else {
            return Err(ConfigError::new(
                "secret",
                "is not set",
                "give the builder the secret that Better Auth signs with (BETTER_AUTH_SECRET)",
            ));
        };
        let Some(store) = self.store else {
            return Err(ConfigError::new(
                "store",
                "is not set",
                "give the builder a `UserStore`, such as a `PostgresStore`, a `SqliteStore` or, in tests, a `MemoryStore`",
            ));
        };
        if !store.supports(LookupKind::Email) {
            return Err(ConfigError::new(
                "store",
                format!("cannot look up {}", LookupKind::Email),
                "secret-signed tokens are resolved by e-mail address; use a store that supports it",
            ));
        }
        if self.leeway > MAXIMUM_LEEWAY {
            return Err(ConfigError::new(
                "leeway",
                format!("is {} s", self.leeway.as_secs()),
                "use at most 300 s and correct the clocks",
            ));
        }
        if self.lookup_timeout.is_zero() {
            return Err(ConfigError::new(
                "lookup_timeout",
                "is zero",
                "give the store some time to answer, such as ten seconds",
            ));
        }
        for (setting, values) in [
            ("issuer", self.issuer.as_slice()),
            ("audience", &self.audiences),
        ] {
            if values.iter().any(String::is_empty) {
                return Err(ConfigError::new(
                    setting,
                    "is empty",
                    "leave it out or write the text that the tokens have",
                ));
            }
        }
        if self.require_audience && self.audiences.is_empty() && self.issuer.is_none() {
            return Err(ConfigError::new(
                "require_audience",
                "is set, but no audience is",
                "add `audience` with the value that means this service",
            ));
        }
        let claim = self.session_id_claim.as_str();
        if claim.is_empty() || RESERVED_CLAIMS.contains(&claim) {
            return Err(ConfigError::new(
                "session_id_claim",
                format!("is `{claim}`, which cannot name a session"),
                "use `sid` or a claim of your own",
            ));
        }
        if !self_check() {
            return Err(ConfigError::new(
                "secret",
                "cannot be used: the linked HMAC-SHA256 gives wrong answers",
                "check the build of aws-lc-rs",
            ));
        }
        warn_about(
            &secrets,
            self.accept_previous_secrets,
            self.issuer.is_some(),
        );
        let policy = ClaimPolicy {
            issuer: self.issuer,
            audiences: self.audiences,
            require_audience: self.require_audience,
            leeway: self.leeway,
            session_id_claim: self.session_id_claim,
            require_binding: self.require_binding,
        };
        Ok(BetterAuthLayer::new(Authenticator::new(Inner {
            clock: self.clock,
            store,
            secret_jwt: SecretJwtVerifier::new(&secrets, self.accept_previous_secrets, policy),
            require_matching_subject: self.require_matching_subject,
            require_verified_email: self.require_verified_email,
            lookup_timeout: self.lookup_timeout,
            retry_after: self.retry_after,
        })))
    }
}

fn warn_about(secrets: &SecretRing, accept_previous: bool, has_issuer: bool) {
    let previous = if accept_previous {
        secrets.previous()
    } else {
        &[]
    };
    if std::iter::once(secrets.current())
        .chain(previous)
        .any(Secret::is_shorter_than_recommended)
    {
        tracing::warn!(
            "the secret has fewer than 32 bytes and can be found by trial from one token; make a longer one, such as with `openssl rand -base64 32`"
        );
    }
    if !has_issuer {
        tracing::warn!(
            "secret-signed tokens of every issuer are accepted; set BETTER_AUTH_ISSUER or the builder's `issuer` and mint tokens with `iss`"
        );
    }
}

impl fmt::Debug for BetterAuthLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BetterAuthLayerBuilder")
            .field("secrets", &self.secrets)
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
