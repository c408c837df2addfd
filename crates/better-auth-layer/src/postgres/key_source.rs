//! Public keys from the database.

use std::sync::Arc;
use std::time::Duration;

use super::store::PostgresStore;
use crate::clock::{Clock, SystemClock};
use crate::jwks::{KeySet, KeySource, KeySourceError};
use crate::store::sql::DEFAULT_GRACE_PERIOD;

/// The public keys of Better Auth's `jwks` table; made by [`PostgresStore::key_source`].
///
/// For services that can reach the database and not the issuer. The table is `jwks` or `jwkss`, unless
/// [`Schema::with_jwks_table`](crate::store::Schema::with_jwks_table) says otherwise; of its columns `id`, `publicKey`, `alg` and
/// `expiresAt` are read.
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, ConfigError};
/// use better_auth_layer::postgres::PostgresStore;
///
/// fn layer(store: PostgresStore) -> Result<BetterAuthLayer, ConfigError> {
///     BetterAuthLayer::builder()
///         .base_url("https://app.example.com")
///         .key_source(store.key_source())
///         .store(store)
///         .build()
/// }
/// ```
#[derive(Clone)]
pub struct PostgresKeySource {
    store: PostgresStore,
    clock: Arc<dyn Clock>,
    grace_period: Duration,
}

impl PostgresKeySource {
    pub(super) fn new(store: PostgresStore) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            grace_period: DEFAULT_GRACE_PERIOD,
        }
    }

    /// Sets how long a key is used after its `expiresAt` (`jwks.gracePeriod`). Default: 30 days, as in Better Auth.
    #[must_use]
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.grace_period = grace_period;
        self
    }

    /// Sets the clock. The default is the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl KeySource for PostgresKeySource {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let keys = self.store.public_keys(self.clock.now(), self.grace_period);
        keys.await.map_err(KeySourceError::new)
    }
}

impl std::fmt::Debug for PostgresKeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresKeySource")
            .field("store", &self.store)
            .field("grace_period", &self.grace_period)
            .finish_non_exhaustive()
    }
}
