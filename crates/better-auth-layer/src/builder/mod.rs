//! Configures a [`BetterAuthLayer`]. All errors are reported by `build`.

mod assembly;
mod jwts;
mod sessions;
mod sources;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::jwts::JwtOptions;
use self::sessions::SessionOptions;
use self::sources::SourceOptions;
use crate::api_key::ApiKeys;
use crate::base_url::BaseUrl;
use crate::clock::{Clock, SystemClock};
use crate::config_error::ConfigError;
use crate::layer::BetterAuthLayer;
use crate::rejection::{RenderRejection, Renderer, RetryAfter};
use crate::secret::{Secret, SecretRing};
use crate::store::{DynUserStore, UserStore};

/// A shorter interval would overload the store.
const MIN_RECHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Configures a [`BetterAuthLayer`]; created by [`BetterAuthLayer::builder`].
///
/// A store is required, and a [secret](Self::secret), a [base URL](Self::base_url) or both. All other
/// options have secure defaults.
///
/// | option | accepted credentials |
/// |---|---|
/// | [`secret`](Self::secret) | JWTs that the application signs with it, the session cookie, signed session tokens |
/// | [`base_url`](Self::base_url), [`jwks_url`](Self::jwks_url) or [`key_source`](Self::key_source) | JWTs of Better Auth's JWT plugin |
/// | [`api_keys`](Self::api_keys) | API keys |
/// | [`accept_raw_session_tokens`](Self::accept_raw_session_tokens) | session tokens without a signature |
/// | [`cookie_cache`](Self::cookie_cache) | the cached user and session in a second cookie, in addition to the session cookie |
///
/// The setters accept any value. [`build`](Self::build) reports invalid values and conflicts.
///
/// ```
/// use std::time::Duration;
/// use better_auth_layer::{BetterAuthLayer, ConfigError, Resolution, Secret, StoreError};
/// use better_auth_layer::store::store_fn;
///
/// # let store = store_fn(|_| async { Ok::<_, StoreError>(Resolution::UserNotFound) });
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new("correct-horse-battery-staple-4711")?)
///     .base_url("https://app.example.com")
///     .leeway(Duration::from_secs(5))
///     .store(store)
///     .build()?;
/// # Ok::<(), ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct BetterAuthLayerBuilder {
    base_url: Option<Result<BaseUrl, ConfigError>>,
    secrets: Option<SecretRing>,
    accept_previous_secrets: bool,
    jwts: JwtOptions,
    sessions: SessionOptions,
    api_keys: Option<ApiKeys>,
    sources: SourceOptions,
    store: Option<Arc<dyn DynUserStore>>,
    lookup_timeout: Duration,
    require_verified_email: bool,
    recheck_interval: Duration,
    clock: Arc<dyn Clock>,
    retry_after: RetryAfter,
    renderer: Renderer,
}

impl BetterAuthLayer {
    /// Starts configuring a layer.
    pub fn builder() -> BetterAuthLayerBuilder {
        BetterAuthLayerBuilder {
            base_url: None,
            secrets: None,
            accept_previous_secrets: false,
            jwts: JwtOptions::default(),
            sessions: SessionOptions::default(),
            api_keys: None,
            sources: SourceOptions::default(),
            store: None,
            lookup_timeout: Duration::from_secs(10),
            require_verified_email: false,
            recheck_interval: Duration::from_secs(5),
            clock: Arc::new(SystemClock),
            retry_after: RetryAfter::default(),
            renderer: Renderer::default(),
        }
    }
}

impl BetterAuthLayerBuilder {
    /// Sets the secret shared with Better Auth. It verifies the session cookie, session tokens, and
    /// JWTs that the application signs with it (HS256).
    pub fn secret(self, secret: Secret) -> Self {
        self.secrets(SecretRing::new(secret))
    }

    /// Sets the current secret and the previous ones.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::config::SecretRing;
    ///
    /// // BETTER_AUTH_SECRETS, the current one first.
    /// let secrets = SecretRing::parse("2:correct-horse-battery-staple-4711,1:tired-horse-flat-battery-0815")?;
    /// let builder = BetterAuthLayer::builder().secrets(secrets);
    /// # let _ = builder;
    /// # Ok::<(), better_auth_layer::ConfigError>(())
    /// ```
    pub fn secrets(mut self, secrets: SecretRing) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Also accepts signatures with a previous secret of the ring. Off by default, as in Better
    /// Auth, where a new secret invalidates all sessions. An encrypted cookie cache
    /// ([`CookieCache::jwe`](crate::CookieCache::jwe)) is opened with every secret of the ring in any case.
    pub fn accept_previous_secrets(mut self) -> Self {
        self.accept_previous_secrets = true;
        self
    }

    /// Sets the base URL of the Better Auth deployment (`baseURL`, `BETTER_AUTH_URL`). It is the
    /// default for:
    ///
    /// - the URL of the public keys: `/api/auth/jwks`, or `/jwks` below the path of the base URL
    ///   (overridden by [`key_source`](Self::key_source) and [`jwks_url`](Self::jwks_url));
    /// - the issuer of JWTs that are signed with these keys: the origin of the URL (overridden by
    ///   [`jwks_issuer`](Self::jwks_issuer));
    /// - their audience: the same origin (overridden by [`audience`](Self::audience));
    /// - the prefix `__Secure-` of cookie names: required with `https`, not allowed with `http`
    ///   (overridden by [`secure_cookies`](Self::secure_cookies)).
    ///
    /// Pages of this origin may send the session cookie. The base URL does not affect secret-signed
    /// JWTs.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // Without a secret: accepts only the JWTs of `/api/auth/token`, verified with public keys.
    /// let builder = BetterAuthLayer::builder().base_url("https://app.example.com");
    /// # let _ = builder;
    /// ```
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(BaseUrl::parse(&url.into()));
        self
    }

    pub(crate) fn parsed_base_url(mut self, url: BaseUrl) -> Self {
        self.base_url = Some(Ok(url));
        self
    }

    /// Sets the store of users and sessions.
    pub fn store(mut self, store: impl UserStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the clock. Default: the clock of the system.
    ///
    /// ```
    /// use std::time::Duration;
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::clock::{Clock, Timestamp};
    ///
    /// /// A stopped clock for tests.
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

    /// Rejects users whose email is not verified. Off by default, as in Better Auth.
    ///
    /// Anyone can sign up with the email of another person. Until it is verified, it does not prove
    /// the identity of its owner.
    pub fn require_verified_email(mut self) -> Self {
        self.require_verified_email = true;
        self
    }

    /// Accepts API keys. Off by default.
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

    /// Sets the timeout of a lookup, after which the request is rejected with `503`. Default: 10
    /// seconds, longer than the timeouts of the stores in this crate.
    pub fn lookup_timeout(mut self, timeout: Duration) -> Self {
        self.lookup_timeout = timeout;
        self
    }

    /// Sets the `Retry-After` of a `503`: a duration or another [policy](RetryAfter). Default and
    /// minimum: one second.
    pub fn retry_after(mut self, after: impl Into<RetryAfter>) -> Self {
        self.retry_after = after.into();
        self
    }

    /// Sets the renderer of rejections, such as [`ProblemJson`](crate::rejection::ProblemJson) or a
    /// function. Default: the JSON response described in [`RejectionKind`](crate::RejectionKind).
    /// gRPC requests always get a gRPC status. See [`RenderRejection`].
    pub fn rejection_renderer(mut self, render: impl RenderRejection) -> Self {
        self.renderer = Renderer::new(render);
        self
    }

    /// Sets how often the store is queried for the session of an open stream; see
    /// [`Identity::session_ended`](crate::Identity::session_ended). Default: every five seconds,
    /// which is how long a stream can outlive a sign-out.
    pub fn recheck_interval(mut self, interval: Duration) -> Self {
        self.recheck_interval = interval;
        self
    }

    /// Builds the layer without any I/O: the store and the issuer may be unavailable.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a setting is missing or invalid, if settings conflict, or if the store does
    /// not support a lookup that an accepted credential needs.
    pub fn build(self) -> Result<BetterAuthLayer, ConfigError> {
        self.assemble()
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        if self.lookup_timeout.is_zero() {
            return Err(ConfigError::new(
                "lookup_timeout",
                "is zero",
                "give the store some time, such as ten seconds",
            ));
        }
        if self.recheck_interval < MIN_RECHECK_INTERVAL {
            return Err(ConfigError::new(
                "recheck_interval",
                "is less than 10 ms",
                "use a longer interval, such as five seconds: the store is queried once per interval and open stream",
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for BetterAuthLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BetterAuthLayerBuilder")
            .field("secrets", &self.secrets)
            .field("base_url", &self.base_url)
            .field("issuer", &self.jwts.issuer)
            .finish_non_exhaustive()
    }
}
