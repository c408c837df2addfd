//! [`PostgresStore`], and the executor that runs its batches of lookups.
//!
//! Every operation has one deadline. A lookup waits in the queue of the [`Batcher`], memberships
//! and public keys use connections of the pool directly.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::batch::{BatchError, BatchExecutor, BatchLimits, Batcher};
use super::pool::{
    AcquireOptions, ConnectionSource, LastConnectError, PoolHandle, Retries, SharedSlot,
};
use super::query::{LookupBatchKey, LookupResult, batch_key, resolve_batch};
use super::tables::{KnownTables, Members, Times, public_keys};
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::diagnostics::Check;
use crate::identity::Member;
use crate::jwks::{KeySet, TableKeySource};
use crate::organization::MembershipStore;
use crate::sql::SchemaError;
use crate::store::{Lookup, LookupKind, Resolution, StoreError, StoreErrorKind, UserStore};

/// The timeout of the check in [`PostgresStore::connect`], which delays the start of a service.
const STARTUP_CHECK: Duration = Duration::from_secs(1);

/// Users and sessions in Better Auth's PostgreSQL database, read with one query per lookup.
///
/// ```no_run
/// use better_auth_layer::{BetterAuthLayer, Secret};
/// use better_auth_layer::postgres::PostgresStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new(std::env::var("BETTER_AUTH_SECRET")?)?)
///     .store(PostgresStore::connect(&std::env::var("DATABASE_URL")?).await?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Deployment
///
/// The database role needs `SELECT` on the two tables, or on these columns: id, email and ban
/// columns of users; id, user id, expiry and `impersonatedBy` of sessions. The store works through
/// transaction poolers (PgBouncer, Neon's `-pooler` hosts): it uses no session state, and prepares
/// statements on direct connections only ([`StatementMode`](crate::postgres::StatementMode)). For
/// every host that is not local, TLS with a verified certificate and host name is required, unless
/// the URL has `sslmode=disable`.
///
/// # Under load
///
/// Lookups share a few connections
/// ([`batch_connections`](crate::postgres::PostgresStoreBuilder::batch_connections)). With few
/// lookups, each is a query and is sent at once. When all connections are at capacity, lookups wait
/// until a query ends and are then sent together in one statement. The result of each lookup is the
/// same as for a separate query. There are no timers and no idle background tasks.
///
/// The database may be unavailable when the service starts or while it runs. Lookups then fail,
/// the layer responds with `503`, and lookups succeed again when the database is available.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    lookups: Arc<Batcher<LookupExecutor>>,
    query_timeout: Duration,
    members: Members,
}

impl PostgresStore {
    pub(super) fn new(
        pool: PoolHandle,
        tables: KnownTables,
        query_timeout: Duration,
        limits: BatchLimits,
    ) -> Self {
        let pool = Arc::new(pool);
        let members = Members::new(Arc::clone(&pool), tables.schema().clone(), query_timeout);
        let executor = LookupExecutor {
            pool,
            tables,
            slots: std::iter::repeat_with(SharedSlot::default)
                .take(limits.connections)
                .collect(),
            last_error: LastConnectError::default(),
        };
        Self {
            inner: Arc::new(Inner {
                lookups: Batcher::new(executor, limits),
                query_timeout,
                members,
            }),
        }
    }

    /// The public keys in this database's `jwks` table, for the builder's
    /// [`key_source`](crate::BetterAuthLayerBuilder::key_source). Private keys are not read: the
    /// database role needs `SELECT` on the columns `id`, `publicKey`, `alg` and `expiresAt` only.
    #[must_use]
    pub fn key_source(&self) -> TableKeySource {
        let store = self.clone();
        TableKeySource::new(move |now, grace_period| {
            let store = store.clone();
            async move { store.public_keys(now, grace_period).await }
        })
    }

    async fn public_keys(
        &self,
        now: Timestamp,
        grace_period: Duration,
    ) -> Result<KeySet, StoreError> {
        let executor = self.inner.lookups.executor();
        let deadline = self.deadline();
        let last_error = LastConnectError::default();
        let options = AcquireOptions {
            last_error: &last_error,
            ..executor.options(ConnectionSource::Pool, deadline)
        };
        let fetch = async {
            let mut retries = Retries::<()>::new(options);
            loop {
                let connection = retries.acquire().await?;
                let schema = executor.tables.schema();
                let keys = public_keys(&connection, schema, now, grace_period).await;
                if let Some(keys) = retries.finish(connection, keys) {
                    return keys;
                }
            }
        };
        let keys = timeout_at(deadline, fetch).await;
        keys.unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    /// Queries the database once and logs an error. Fails only for errors that need a change of the
    /// configuration.
    pub(super) async fn check_at_startup(&self) -> Result<(), ConfigError> {
        let check = timeout(STARTUP_CHECK, self.ready()).await;
        let Err(error) = check.unwrap_or_else(|_| Err(StoreError::timeout())) else {
            return Ok(());
        };
        let schema_error = error.source().and_then(|source| source.downcast_ref());
        if let Some(ambiguous @ SchemaError::Ambiguous { .. }) = schema_error {
            let remedy = ambiguous.to_string();
            return Err(ConfigError::new("DATABASE_URL", "is ambiguous", remedy));
        }
        tracing::warn!(
            error = error.with_causes(),
            "the database is not ready; requests are rejected with 503 until it is"
        );
        Ok(())
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.inner.query_timeout
    }
}

impl UserStore for PostgresStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let lookups = &self.inner.lookups;
        let deadline = self.deadline();
        let result = async {
            let pending = |lookup: Lookup<'_>| PendingLookup {
                lookup: lookup.into_owned(),
                deadline,
            };
            let mut result = lookups.run(pending(lookup.clone())).await;
            // The runtime that ran the batch may have been shut down. This runtime is active.
            if let Err(BatchError::Lost) = result {
                result = lookups.run(pending(lookup)).await;
            }
            result.unwrap_or_else(|error| Err(error.into()))
        };
        let result = timeout_at(deadline, result).await;
        result.unwrap_or_else(|_| Err(lookups.executor().last_error.timeout()))
    }

    /// Supports every kind, including API keys.
    fn supports(&self, _: LookupKind) -> bool {
        true
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let deadline = self.deadline();
        let check = self.inner.lookups.executor().ready(deadline);
        let result = timeout_at(deadline, check).await;
        result.unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    /// Reports the server version, the tables, and whether the connection is encrypted and direct.
    /// Waits until the deadline for a server that is starting.
    async fn diagnose(&self) -> Vec<Check> {
        let executor = self.inner.lookups.executor();
        executor.diagnose(self.deadline()).await
    }

    /// The clock of the database server.
    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let executor = self.inner.lookups.executor();
        executor.server_time(self.deadline()).await
    }
}

/// Reads `userId`, `organizationId` and `role` of the table `member`. The database role needs
/// `SELECT` on these columns only.
impl MembershipStore for PostgresStore {
    async fn member(
        &self,
        user_id: &str,
        organization_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        self.inner.members.find(user_id, organization_id).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", self.inner.lookups.executor().tables.schema())
            .field("query_timeout", &self.inner.query_timeout)
            .finish_non_exhaustive()
    }
}

/// A lookup with the deadline of its caller.
pub(super) struct PendingLookup {
    lookup: Lookup<'static>,
    deadline: Instant,
}

/// Runs batches of lookups, each on one of a few shared connections.
pub(super) struct LookupExecutor {
    pub(super) pool: Arc<PoolHandle>,
    pub(super) tables: KnownTables,
    pub(super) last_error: LastConnectError,
    slots: Vec<SharedSlot>,
}

impl BatchExecutor for LookupExecutor {
    type Request = PendingLookup;
    type Output = LookupResult;
    type BatchKey = LookupBatchKey;

    fn batch_key(pending: &PendingLookup) -> LookupBatchKey {
        batch_key(&pending.lookup)
    }

    async fn run(&self, connection: usize, pending: &[PendingLookup]) -> Vec<LookupResult> {
        let lookups: Vec<&Lookup<'_>> = pending.iter().map(|pending| &pending.lookup).collect();
        let mut results: Vec<Option<LookupResult>> = lookups.iter().map(|_| None).collect();
        // Each caller applies its own deadline. The batch runs until the latest one.
        let deadline = pending.iter().map(|pending| pending.deadline).max();
        let deadline = deadline.unwrap_or_else(Instant::now);
        let batch = self.run_batch(connection, &lookups, deadline, &mut results);
        let error = match timeout_at(deadline, batch).await {
            Ok(Ok(())) => StoreErrorKind::Unavailable.into(),
            Ok(Err(error)) => error,
            Err(_) => self.last_error.timeout(),
        };
        let or_error = |result: Option<LookupResult>| result.unwrap_or_else(|| Err(error.share()));
        results.into_iter().map(or_error).collect()
    }
}

impl LookupExecutor {
    /// Sets the result of each lookup. Results stay set when the batch is retried.
    async fn run_batch(
        &self,
        connection: usize,
        lookups: &[&Lookup<'_>],
        deadline: Instant,
        results: &mut [Option<LookupResult>],
    ) -> Result<(), StoreError> {
        let slot = self.slots.get(connection);
        let slot = slot.ok_or(StoreErrorKind::Unavailable)?;
        let times = lookups.iter().map(|lookup| lookup.now());
        let times = times.clone().min().zip(times.max());
        let times = times.map(|(earliest, latest)| Times { earliest, latest });
        let mut retries = Retries::new(self.options(ConnectionSource::Slot(slot), deadline));
        loop {
            let connection = retries.acquire().await?;
            let discovered = &mut retries.discovered;
            let result = async {
                let outdated = discovered.outdated.as_ref();
                let tables = self.tables.get(&connection, times, outdated).await?;
                let tables = discovered.used.insert(tables);
                resolve_batch(&connection, tables, lookups, results).await
            };
            let result = result.await;
            if let Some(result) = retries.finish(connection, result) {
                return result;
            }
        }
    }

    /// Whether the tables exist and are readable. Does not wait for a server that is starting,
    /// because readiness checks are repeated by their caller.
    pub(super) async fn ready(&self, deadline: Instant) -> Result<(), StoreError> {
        let mut retries = Retries::new(self.options(ConnectionSource::PoolOnce, deadline));
        loop {
            let connection = retries.acquire().await?;
            let discovered = &mut retries.discovered;
            let result = async {
                let outdated = discovered.outdated.as_ref();
                let tables = self.tables.get(&connection, None, outdated).await?;
                let tables = discovered.used.insert(tables);
                connection.query(&tables.statements.check, &[]).await?;
                Ok(())
            };
            let result = result.await;
            if let Some(result) = retries.finish(connection, result) {
                return result;
            }
        }
    }

    pub(super) fn options<'a>(
        &'a self,
        source: ConnectionSource<'a>,
        deadline: Instant,
    ) -> AcquireOptions<'a> {
        AcquireOptions {
            pool: &self.pool,
            source,
            deadline,
            opened_after: None,
            last_error: &self.last_error,
        }
    }
}

impl From<BatchError> for StoreError {
    fn from(error: BatchError) -> Self {
        let cause = match error {
            BatchError::QueueFull => "too many lookups are waiting",
            BatchError::Lost => "the lookup was dropped before it had a result",
        };
        Self::new(StoreErrorKind::Unavailable, cause)
    }
}
