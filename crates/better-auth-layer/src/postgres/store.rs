//! The store.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use deadpool_postgres::Pool;

use super::connections::Connection;
use super::failure::{Failure, PostgresError};
use super::question::Question;
use super::tables::Tables;
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::store::sql::LayoutError;
use crate::store::{Lookup, Resolution, Schema, StoreError, StoreErrorKind, UserStore};

/// How long the start of a service may be held up by a first look at the database.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// Users and sessions in Better Auth's PostgreSQL database, read with one query per lookup.
///
/// ```no_run
/// use better_auth_layer::{BetterAuthLayer, PostgresStore, Secret};
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
/// A role that may `SELECT` from the two tables is enough. Works through transaction poolers (PgBouncer, Neon's
/// `-pooler` hosts): no prepared statements, no session state. Towards every host that is not local, TLS with verified
/// certificate and host name is required unless the address says `sslmode=disable`.
///
/// The database may be down when the service starts and may go away while it runs: lookups then fail, which the layer
/// answers with `503`, and work again when it is back.
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    schema: Schema,
    deadline: Duration,
    schema_refresh: Duration,
    /// Never locked across a wait: readers take the pointer and go.
    tables: RwLock<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    tables: Arc<Tables>,
    since: Timestamp,
}

impl PostgresStore {
    pub(super) fn new(
        pool: Pool,
        schema: Schema,
        deadline: Duration,
        schema_refresh: Duration,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                pool,
                schema,
                deadline,
                schema_refresh,
                tables: RwLock::new(None),
            }),
        }
    }

    /// Asks once and logs what is wrong; fails only where waiting cannot help.
    pub(super) async fn look_around(&self) -> Result<(), ConfigError> {
        use std::error::Error as _;
        let check = tokio::time::timeout(LOOK_AROUND, self.check()).await;
        let Err(error) = check.unwrap_or_else(|_| Err(StoreError::timeout())) else {
            return Ok(());
        };
        let layout_error = error.source().and_then(|source| source.downcast_ref());
        if let Some(several @ LayoutError::Ambiguous { .. }) = layout_error {
            let remedy = several.to_string();
            return Err(ConfigError::new("DATABASE_URL", "leaves a choice", remedy));
        }
        tracing::warn!(
            error = format!("{error:#}"),
            "the database cannot answer yet; requests get 503 until it can"
        );
        Ok(())
    }
}

impl UserStore for PostgresStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let answer = self.inner.within_deadline(Question::Lookup(&lookup));
        // Only a check is answered with nothing.
        answer.await?.ok_or(StoreErrorKind::WrongAnswer.into())
    }

    async fn check(&self) -> Result<(), StoreError> {
        let answer = self.inner.within_deadline(Question::Check).await;
        answer.map(|_| ())
    }
}

impl Inner {
    async fn within_deadline(
        &self,
        question: Question<'_>,
    ) -> Result<Option<Resolution>, StoreError> {
        let last_refusal = Mutex::new(None);
        let attempt = self.attempt(question, &last_refusal);
        match tokio::time::timeout(self.deadline, attempt).await {
            Ok(answer) => answer,
            Err(_) => {
                let refusal = last_refusal
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner);
                Err(match refusal {
                    Some(cause) => StoreError::new(StoreErrorKind::Timeout, cause),
                    None => StoreError::timeout(),
                })
            }
        }
    }

    /// Asks; once more on another connection where the first one broke, and once more with freshly found tables where
    /// they are not what they were.
    async fn attempt(
        &self,
        question: Question<'_>,
        last_refusal: &Mutex<Option<PostgresError>>,
    ) -> Result<Option<Resolution>, StoreError> {
        let (mut broken, mut changed) = (false, false);
        loop {
            let connection = match question {
                Question::Lookup(_) => Connection::acquire(&self.pool, last_refusal).await?,
                // Whoever probes wants to know how it is now, and asks again.
                Question::Check => Connection::acquire_at_once(&self.pool).await?,
            };
            let answer = async {
                match self.tables(&connection, question.now(), changed).await? {
                    Ok(tables) => question.ask(&connection, &tables).await,
                    Err(error) => Ok(Err(error)),
                }
            };
            match answer.await {
                Ok(answer) => {
                    connection.release();
                    return answer;
                }
                // The connection is not given back: it is dead, or its plans are those of other tables.
                Err(Failure::Dead(_)) if !broken => broken = true,
                Err(Failure::SchemaChanged(_)) if !changed => changed = true,
                Err(failure @ Failure::Dead(_)) => return Err(failure.into()),
                Err(failure) => {
                    connection.release();
                    return Err(failure.into());
                }
            }
        }
    }

    async fn tables(
        &self,
        connection: &Connection,
        now: Option<Timestamp>,
        again: bool,
    ) -> Result<Result<Arc<Tables>, StoreError>, Failure> {
        let known = self
            .tables
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = known
            && !again
            // A clock that was set back must not keep old knowledge alive for ever.
            && now.is_none_or(|now| known.since.abs_diff(now) < self.schema_refresh)
        {
            return Ok(Ok(known.tables));
        }
        Ok(Tables::find(connection, &self.schema).await?.map(|tables| {
            let tables = Arc::new(tables);
            let known = Known {
                tables: Arc::clone(&tables),
                // Found without knowing the time, it is old at the next lookup.
                since: now.unwrap_or(Timestamp::UNIX_EPOCH),
            };
            *self.tables.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
            tables
        }))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.inner.schema)
            .field("deadline", &self.inner.deadline)
            .finish_non_exhaustive()
    }
}
