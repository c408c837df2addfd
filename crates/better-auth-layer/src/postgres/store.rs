//! The store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::access::Access;
use super::batcher::{Batcher, Limits, Unanswered};
use super::connections::{Connection, Terms};
use super::failure::Failure;
use super::known_tables::KnownTables;
use super::lane::Lane;
use super::last_refusal::LastRefusal;
use super::lookups::{Asked, Lookups};
use super::members::Members;
use super::tables::public_keys;
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::diagnostics::Check;
use crate::identity::Member;
use crate::jwks::{KeySet, TableKeySource};
use crate::organization::MembershipStore;
use crate::sql::SchemaError;
use crate::store::{Lookup, LookupKind, Resolution, StoreError, StoreErrorKind, UserStore};

/// How long the start of a service may be held up by a first look at the database.
const LOOK_AROUND: Duration = Duration::from_secs(1);

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
/// A role that may `SELECT` from the two tables is enough, or from the columns that decide: of users id, e-mail address
/// and ban, of sessions id, user id, expiry and `impersonatedBy`. Works through transaction poolers (PgBouncer, Neon's
/// `-pooler` hosts): no session state, and prepared statements only where a connection is proven to lead straight to
/// the server ([`StatementMode`](crate::postgres::StatementMode)). Towards every host that is not local, TLS with verified certificate
/// and host name is required unless the address says `sslmode=disable`.
///
/// # Under load
///
/// Lookups share a few connections ([`batch_connections`](crate::postgres::PostgresStoreBuilder::batch_connections)). While few are under way, each is a query of
/// its own and goes at once. Those that find every place taken wait until a query is answered, and then go together in
/// one statement; each is answered as if it had gone alone. No lookup waits for a timer, and nothing runs while nobody
/// asks.
///
/// The database may be down when the service starts and may go away while it runs: lookups then fail, which the layer
/// answers with `503`, and work again when it is back.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    lookups: Arc<Batcher<Lookups>>,
    deadline: Duration,
    members: Members,
}

impl PostgresStore {
    pub(super) fn new(
        access: Access,
        tables: KnownTables,
        deadline: Duration,
        limits: Limits,
    ) -> Self {
        let access = Arc::new(access);
        let members = Members::new(Arc::clone(&access), tables.schema().clone(), deadline);
        let lookups = Lookups {
            access,
            tables,
            lanes: std::iter::repeat_with(Lane::default)
                .take(limits.lanes)
                .collect(),
            last_refusal: LastRefusal::default(),
        };
        Self {
            inner: Arc::new(Inner {
                lookups: Batcher::new(lookups, limits),
                deadline,
                members,
            }),
        }
    }

    /// The public keys in this database's `jwks` table, for the builder's
    /// [`key_source`](crate::BetterAuthLayerBuilder::key_source). Private keys are not read: the role needs the right to
    /// `SELECT` the columns `id`, `publicKey`, `alg` and `expiresAt`, no more.
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
        let lookups = self.inner.lookups.asker();
        let until = Instant::now() + self.inner.deadline;
        let last_refusal = LastRefusal::default();
        let fetch = async {
            let mut broken = None;
            loop {
                let terms = Terms {
                    access: &lookups.access,
                    until,
                    broken,
                };
                let connection = Connection::acquire(terms, &last_refusal).await?;
                let schema = lookups.tables.schema();
                match public_keys(&connection, schema, now, grace_period).await {
                    Ok(answer) => return answer,
                    Err(Failure::Dead(_)) if broken.is_none() => {
                        connection.discard();
                        broken = Some(std::time::Instant::now());
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
        };
        let fetched = tokio::time::timeout_at(until, fetch).await;
        fetched.unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    /// Asks once and logs what is wrong; fails only where waiting cannot help.
    pub(super) async fn look_around(&self) -> Result<(), ConfigError> {
        use std::error::Error as _;
        let check = tokio::time::timeout(LOOK_AROUND, self.ready()).await;
        let Err(error) = check.unwrap_or_else(|_| Err(StoreError::timeout())) else {
            return Ok(());
        };
        let schema_error = error.source().and_then(|source| source.downcast_ref());
        if let Some(several @ SchemaError::Ambiguous { .. }) = schema_error {
            let remedy = several.to_string();
            return Err(ConfigError::new("DATABASE_URL", "leaves a choice", remedy));
        }
        tracing::warn!(
            error = error.with_causes(),
            "the database cannot answer yet; requests get 503 until it can"
        );
        Ok(())
    }
}

impl UserStore for PostgresStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let Inner {
            lookups, deadline, ..
        } = &*self.inner;
        let until = Instant::now() + *deadline;
        let answer = async {
            let asked = |lookup: Lookup<'_>| Asked {
                lookup: lookup.into_owned(),
                until,
            };
            let mut answer = lookups.ask(asked(lookup.clone())).await;
            // The runtime that carried it may have ended; this one goes on.
            if let Err(Unanswered::Lost) = answer {
                answer = lookups.ask(asked(lookup)).await;
            }
            answer.unwrap_or_else(|unanswered| Err(unanswered.into()))
        };
        let answer = tokio::time::timeout_at(until, answer).await;
        answer.unwrap_or_else(|_| Err(lookups.asker().last_refusal.timeout()))
    }

    /// Also by API key.
    fn supports(&self, _: LookupKind) -> bool {
        true
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let until = Instant::now() + self.inner.deadline;
        let check = tokio::time::timeout_at(until, self.inner.lookups.asker().check(until)).await;
        check.unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    /// Says which server answers, which tables are read, and whether the connection is encrypted and leads straight to
    /// the server. A server that is just starting is waited for until the deadline.
    async fn diagnose(&self) -> Vec<Check> {
        let until = Instant::now() + self.inner.deadline;
        self.inner.lookups.asker().diagnose(until).await
    }

    /// The server's clock.
    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let until = Instant::now() + self.inner.deadline;
        self.inner.lookups.asker().time(until).await
    }
}

/// Reads `userId`, `organizationId` and `role` of the table `member`; the role needs the right to `SELECT` these columns,
/// no more.
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
            .field("schema", self.inner.lookups.asker().tables.schema())
            .field("deadline", &self.inner.deadline)
            .finish_non_exhaustive()
    }
}

impl From<Unanswered> for StoreError {
    fn from(unanswered: Unanswered) -> Self {
        let cause = match unanswered {
            Unanswered::LineFull => "too many lookups are waiting",
            Unanswered::Lost => "the lookup was dropped on its way",
        };
        Self::new(StoreErrorKind::Unavailable, cause)
    }
}
