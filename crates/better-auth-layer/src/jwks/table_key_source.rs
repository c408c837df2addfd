//! Public keys from Better Auth's `jwks` table.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{KeySet, KeySource, KeySourceError};
use crate::clock::{Clock, SystemClock, Timestamp};

/// How long Better Auth publishes a key after it has stopped signing with it (`gracePeriod`).
const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The public keys of Better Auth's `jwks` table; made by the `key_source` of a SQL store.
///
/// For services that can reach the database but not the issuer. The table is `jwks` or `jwkss`,
/// unless [`Schema::with_jwks_table`](crate::store::Schema::with_jwks_table) sets another one. Its
/// columns `id`, `publicKey`, `alg` and `expiresAt` are read.
///
/// ```
/// use better_auth_layer::jwks::TableKeySource;
/// use better_auth_layer::{BetterAuthLayer, ConfigError, UserStore};
///
/// fn layer(store: impl UserStore, keys: TableKeySource) -> Result<BetterAuthLayer, ConfigError> {
///     BetterAuthLayer::builder()
///         .base_url("https://app.example.com")
///         .key_source(keys) // `store.key_source()`
///         .store(store)
///         .build()
/// }
/// ```
#[derive(Clone)]
pub struct TableKeySource {
    fetch: Arc<Fetch>,
    clock: Arc<dyn Clock>,
    grace_period: Duration,
}

/// Reads the keys that are valid at a time, with the grace period of expired ones.
type Fetch = dyn Fn(Timestamp, Duration) -> BoxFuture<Result<KeySet, KeySourceError>> + Send + Sync;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl TableKeySource {
    pub(crate) fn new<F, E>(
        fetch: impl Fn(Timestamp, Duration) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<KeySet, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let fetch = move |now, grace_period| -> BoxFuture<_> {
            let keys = fetch(now, grace_period);
            Box::pin(async move { keys.await.map_err(KeySourceError::new) })
        };
        Self {
            fetch: Arc::new(fetch),
            clock: Arc::new(SystemClock),
            grace_period: DEFAULT_GRACE_PERIOD,
        }
    }

    /// Sets how long a key is used after its `expiresAt` (`jwks.gracePeriod`). Default: 30 days, as
    /// in Better Auth.
    #[must_use]
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.grace_period = grace_period;
        self
    }

    /// Sets the clock. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl KeySource for TableKeySource {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        (self.fetch)(self.clock.now(), self.grace_period).await
    }
}

impl fmt::Debug for TableKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableKeySource")
            .field("grace_period", &self.grace_period)
            .finish_non_exhaustive()
    }
}
