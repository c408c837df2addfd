//! Configures a [`BetterAuthLayer`].

mod assembly;
mod checks;
mod jwts;
mod sessions;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::api_key::ApiKeys;
use crate::base_url::BaseUrl;
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::credential::CredentialSource;
use crate::csrf::TrustedOrigin;
use crate::jwks::{DynKeySource, JwksOptions};
use crate::layer::BetterAuthLayer;
use crate::rejection::{RenderRejection, Renderer, RetryAfter};
use crate::secret::{Secret, SecretRing};
use crate::store::{DynUserStore, UserStore};
use crate::verify::{CookieCache, TokenValidator};

/// A few megabytes, with the claims that tokens usually have.
const CACHED_JWTS: usize = 10_000;

/// Configures a [`BetterAuthLayer`]; made by [`BetterAuthLayer::builder`].
///
/// A store is needed, and a [secret](Self::secret), a [base URL](Self::base_url) or both. Everything else has a default
/// that is the safe choice.
///
/// | given | accepted |
/// |---|---|
/// | a secret | JWTs that the application signed with it; the session cookie; session tokens with a signature |
/// | a base URL or another source of keys | JWTs of Better Auth's JWT plugin |
/// | [`api_keys`](Self::api_keys) | API keys |
/// | [`accept_raw_session_tokens`](Self::accept_raw_session_tokens) | session tokens without a signature |
/// | [`cookie_cache`](Self::cookie_cache) | the copy of user and session beside the session cookie |
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::{BetterAuthLayer, ConfigError, Resolution, Secret, StoreError};
/// use better_auth_layer::store::store_fn;
///
/// # let store = store_fn(|_| async { Ok::<_, StoreError>(Resolution::UserNotFound) });
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new("correct-horse-battery-staple-4711").expect("a good secret"))
///     .base_url("https://app.example.com")
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
    base_url: Option<Result<BaseUrl, ConfigError>>,
    issuer: Option<String>,
    jwks_issuer: Option<String>,
    audiences: Vec<String>,
    key_source: Option<Result<Arc<dyn DynKeySource>, ConfigError>>,
    jwks_options: JwksOptions,
    accept_secret_jwts: bool,
    accept_session_tokens: bool,
    require_audience: bool,
    require_binding: bool,
    require_matching_subject: bool,
    require_verified_email: bool,
    session_id_claim: String,
    leeway: Duration,
    cached_jwts: usize,
    cookie_prefix: String,
    session_cookie_name: Option<String>,
    secure_cookies: Option<bool>,
    cookie_cache: Option<CookieCache>,
    trusted_origins: Vec<Result<TrustedOrigin, ConfigError>>,
    require_origin: bool,
    session_token_validator: TokenValidator,
    accept_raw_session_tokens: bool,
    api_keys: Option<ApiKeys>,
    sources: Option<Vec<CredentialSource>>,
    extra_sources: Vec<CredentialSource>,
    lookup_timeout: Duration,
    retry_after: RetryAfter,
    renderer: Renderer,
    recheck_interval: Duration,
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
            base_url: None,
            issuer: None,
            jwks_issuer: None,
            audiences: Vec::new(),
            key_source: None,
            jwks_options: JwksOptions::new(),
            accept_secret_jwts: true,
            accept_session_tokens: true,
            require_audience: false,
            require_binding: true,
            require_matching_subject: false,
            require_verified_email: false,
            session_id_claim: "sid".to_owned(),
            leeway: Duration::ZERO,
            cached_jwts: CACHED_JWTS,
            cookie_prefix: "better-auth".to_owned(),
            session_cookie_name: None,
            secure_cookies: None,
            cookie_cache: None,
            trusted_origins: Vec::new(),
            require_origin: false,
            session_token_validator: Arc::new(crate::verify::has_default_form),
            accept_raw_session_tokens: false,
            api_keys: None,
            sources: None,
            extra_sources: Vec::new(),
            lookup_timeout: Duration::from_secs(10),
            retry_after: RetryAfter::default(),
            renderer: Renderer::default(),
            recheck_interval: Duration::from_secs(5),
        }
    }

    /// Sets the secret shared with Better Auth: for the session cookie, session tokens, and JWTs that the application
    /// signs with it (HS256).
    pub fn secret(self, secret: Secret) -> Self {
        self.secrets(SecretRing::new(secret))
    }

    /// Sets the secret together with those before it.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::config::SecretRing;
    ///
    /// // BETTER_AUTH_SECRETS, the current one first.
    /// let secrets = SecretRing::parse("2:correct-horse-battery-staple-4711,1:tired-horse-flat-battery-0815")?;
    /// let builder = BetterAuthLayer::builder().secrets(secrets);
    /// # let _ = builder;
    /// # Ok::<(), better_auth_layer::config::SecretError>(())
    /// ```
    pub fn secrets(mut self, secrets: SecretRing) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Also accepts what was signed with a previous secret of the ring. Off by default, as in Better Auth: there, a
    /// change of the secret signs everybody out.
    pub fn accept_previous_secrets(mut self) -> Self {
        self.accept_previous_secrets = true;
        self
    }

    /// Sets the address of the Better Auth deployment (`baseURL`, `BETTER_AUTH_URL`), and with it:
    ///
    /// - where the public keys are (`/api/auth/jwks`, or `/jwks` below the address's own path), unless
    ///   [`key_source`](Self::key_source) or [`jwks_url`](Self::jwks_url) says otherwise;
    /// - the issuer of JWTs that are signed with them: the address's origin, unless
    ///   [`jwks_issuer`](Self::jwks_issuer) does;
    /// - their audience: the same, unless [`audience`](Self::audience) does;
    /// - that pages of this origin may send the session cookie;
    /// - whether the cookie's name begins with `__Secure-`: with `https` it must, with `http` it must not, unless
    ///   [`secure_cookies`](Self::secure_cookies) says otherwise.
    ///
    /// It says nothing about JWTs that are signed with the secret.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // Without a secret: the JWTs of `/api/auth/token`, verified with public keys, and nothing else.
    /// let builder = BetterAuthLayer::builder().base_url("https://app.example.com");
    /// # let _ = builder;
    /// ```
    pub fn base_url(mut self, url: impl AsRef<str>) -> Self {
        self.base_url = Some(BaseUrl::parse(url.as_ref(), "base_url"));
        self
    }

    /// As [`base_url`](Self::base_url), for an address that was read already.
    pub(crate) fn deployment(mut self, url: BaseUrl) -> Self {
        self.base_url = Some(Ok(url));
        self
    }

    /// Sets where users and sessions are looked up.
    pub fn store(mut self, store: impl UserStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the clock. The default is the system's.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::clock::{Clock, Timestamp};
    ///
    /// /// For a test: the time stands still.
    /// struct Noon;
    ///
    /// impl Clock for Noon {
    ///     fn now(&self) -> Timestamp {
    ///         Timestamp::from_unix_seconds(1_795_435_200)
    ///     }
    ///
    ///     fn monotonic(&self) -> Duration {
    ///         Duration::ZERO
    ///     }
    /// }
    ///
    /// let builder = BetterAuthLayer::builder().clock(Noon);
    /// # let _ = builder;
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Refuses users whose e-mail address is not verified. Off by default, as in Better Auth.
    ///
    /// Anybody can sign up with anybody's address; until it is verified it proves nothing about its owner.
    pub fn require_verified_email(mut self) -> Self {
        self.require_verified_email = true;
        self
    }

    /// Accepts API keys. They are off by default.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::api_key::ApiKeys;
    ///
    /// let builder = BetterAuthLayer::builder().api_keys(ApiKeys::new());
    /// # let _ = builder;
    /// ```
    pub fn api_keys(mut self, api_keys: ApiKeys) -> Self {
        self.api_keys = Some(api_keys);
        self
    }

    /// Sets where credentials are looked for, and in which order. The first one that is found is the one that counts, and
    /// its failure is final. Default: `Authorization: Bearer`, then the API key's header, then the session cookie, as far
    /// as they are accepted. To add one to these there is [`prepend_credential_source`](Self::prepend_credential_source).
    pub fn credential_sources(
        mut self,
        sources: impl IntoIterator<Item = CredentialSource>,
    ) -> Self {
        self.sources = Some(sources.into_iter().collect());
        self
    }

    /// Adds a place that is looked at before the others, whatever those are: what a client puts there on purpose must not
    /// be outvoted by the cookie that its browser adds to everything. Of several, the first one that was added is looked
    /// at first.
    ///
    /// ```
    /// use better_auth_layer::{BetterAuthLayer, ConfigError, CredentialSource};
    /// use better_auth_layer::config::Env;
    ///
    /// # #[cfg(feature = "sqlite")]
    /// # async fn example() -> Result<(), ConfigError> {
    /// let layer = BetterAuthLayer::from_env(&Env::process())
    ///     .await?
    ///     .prepend_credential_source(CredentialSource::websocket_subprotocol("bearer."))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn prepend_credential_source(mut self, source: CredentialSource) -> Self {
        self.extra_sources.push(source);
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

    /// Sets the `Retry-After` of a `503`: a time, or another [policy](RetryAfter). Default and least: one second.
    pub fn retry_after(mut self, after: impl Into<RetryAfter>) -> Self {
        self.retry_after = after.into();
        self
    }

    /// Sets how refused requests are answered, in place of the JSON of the contract: with [`ProblemJson`](crate::rejection::ProblemJson)
    /// or a function of the application's own. See [`RenderRejection`] for what it is given. gRPC requests get a gRPC
    /// status in any case.
    pub fn rejection_renderer(mut self, render: impl RenderRejection) -> Self {
        self.renderer = Renderer::new(render);
        self
    }

    /// Sets how often the store is asked whether the session behind an open stream still is there:
    /// [`Identity::session_ended`](crate::Identity::session_ended). Default: every five seconds; so long a stream may outlive a sign-out.
    pub fn recheck_interval(mut self, interval: Duration) -> Self {
        self.recheck_interval = interval;
        self
    }

    /// Builds the layer. Does no input or output: the store and the issuer may be down.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a setting is missing or cannot be used, when the store cannot answer a lookup that the
    /// settings need, or when the linked cryptography fails its self-check.
    pub fn build(self) -> Result<BetterAuthLayer, ConfigError> {
        self.assemble()
    }
}

impl fmt::Debug for BetterAuthLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BetterAuthLayerBuilder")
            .field("secrets", &self.secrets)
            .field("base_url", &self.base_url)
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
