//! The store.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::time::Instant;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connections::{Connection, Terms};
use super::failure::{Failure, PostgresError};
use super::key_source::PostgresKeySource;
use super::members::Members;
use super::question::Question;
use super::tables::{Tables, public_keys};
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::identity::Member;
use crate::jwks::KeySet;
use crate::store::sql::LayoutError;
use crate::store::{
    Lookup, LookupKind, MembershipStore, Resolution, Schema, StoreError, StoreErrorKind, UserStore,
};

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
/// A role that may `SELECT` from the two tables is enough, or from the columns that decide: of users id, e-mail address
/// and ban, of sessions id, user id, expiry and `impersonatedBy`. Works through transaction poolers (PgBouncer, Neon's
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
    tls: MakeRustlsConnect,
    schema: Schema,
    deadline: Duration,
    schema_refresh: Duration,
    /// Never locked across a wait: readers take the pointer and go.
    tables: RwLock<Option<Known>>,
    members: Members,
}

#[derive(Clone)]
struct Known {
    tables: Arc<Tables>,
    since: Timestamp,
    /// Whether they are gone, or were when they were last looked for.
    are_gone: bool,
}

impl PostgresStore {
    pub(super) fn new(
        pool: Pool,
        tls: MakeRustlsConnect,
        schema: Schema,
        deadline: Duration,
        schema_refresh: Duration,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                members: Members::new(pool.clone(), tls.clone(), schema.clone(), deadline),
                pool,
                tls,
                schema,
                deadline,
                schema_refresh,
                tables: RwLock::new(None),
            }),
        }
    }

    /// The public keys in this database's `jwks` table, for the builder's
    /// [`key_source`](crate::BetterAuthLayerBuilder::key_source). Private keys are not read: the role needs the right to
    /// `SELECT` the columns `id`, `publicKey`, `alg` and `expiresAt`, no more.
    #[must_use]
    pub fn key_source(&self) -> PostgresKeySource {
        PostgresKeySource::new(self.clone())
    }

    pub(super) async fn public_keys(
        &self,
        now: Timestamp,
        grace_period: Duration,
    ) -> Result<KeySet, StoreError> {
        let inner = &self.inner;
        let until = Instant::now() + inner.deadline;
        let mut last_refusal = None;
        let fetch = async {
            let mut broken = None;
            loop {
                let terms = Terms {
                    tls: &inner.tls,
                    until,
                    broken,
                };
                let connection = Connection::acquire(&inner.pool, terms, &mut last_refusal).await?;
                match public_keys(&connection, &inner.schema, now, grace_period).await {
                    Ok(answer) => {
                        connection.release();
                        return answer;
                    }
                    Err(Failure::Dead(_)) if broken.is_none() => {
                        connection.discard();
                        broken = Some(std::time::Instant::now());
                    }
                    Err(failure) => {
                        connection.release();
                        return Err(failure.into());
                    }
                }
            }
        };
        let fetched = tokio::time::timeout_at(until, fetch).await;
        fetched.unwrap_or_else(|_| Err(StoreError::timeout()))
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

    /// Also by API key.
    fn supports(&self, _: LookupKind) -> bool {
        true
    }

    async fn check(&self) -> Result<(), StoreError> {
        let answer = self.inner.within_deadline(Question::Check).await;
        answer.map(|_| ())
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

impl Inner {
    async fn within_deadline(
        &self,
        question: Question<'_>,
    ) -> Result<Option<Resolution>, StoreError> {
        let mut last_refusal = None;
        let until = Instant::now() + self.deadline;
        let attempt = self.attempt(question, until, &mut last_refusal);
        let outcome = tokio::time::timeout_at(until, attempt).await;
        outcome.unwrap_or_else(|_| {
            Err(match last_refusal {
                Some(cause) => StoreError::new(StoreErrorKind::Timeout, cause),
                None => StoreError::timeout(),
            })
        })
    }

    /// Asks; once more on a new connection where the first one broke, and once more with freshly found tables where
    /// they are not what they were.
    async fn attempt(
        &self,
        question: Question<'_>,
        until: Instant,
        last_refusal: &mut Option<PostgresError>,
    ) -> Result<Option<Resolution>, StoreError> {
        let mut terms = Terms {
            tls: &self.tls,
            until,
            broken: None,
        };
        let mut outdated = None;
        loop {
            let connection = match question {
                Question::Lookup(_) => Connection::acquire(&self.pool, terms, last_refusal).await?,
                // Whoever probes wants to know how it is now, and asks again.
                Question::Check => Connection::acquire_at_once(&self.pool, terms).await?,
            };
            let mut used = None;
            let answer = async {
                let tables = self.tables(&connection, question.now(), outdated.as_ref());
                match tables.await? {
                    Ok(tables) => question.ask(&connection, used.insert(tables)).await,
                    Err(error) => Ok(Err(error)),
                }
            };
            let failure = match answer.await {
                Ok(answer) => {
                    connection.release();
                    return answer;
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Dead(_) => connection.discard(),
                _ => connection.release(),
            }
            match failure {
                Failure::Dead(_) if terms.broken.is_none() => {
                    terms.broken = Some(std::time::Instant::now());
                }
                Failure::SchemaChanged(_) if outdated.is_none() && used.is_some() => {
                    outdated = used;
                }
                failure => return Err(failure.into()),
            }
        }
    }

    /// The tables as they are known, or found anew where that is too long ago or they turned out to be `outdated`.
    async fn tables(
        &self,
        connection: &Connection,
        now: Option<Timestamp>,
        outdated: Option<&Arc<Tables>>,
    ) -> Result<Result<Arc<Tables>, StoreError>, Failure> {
        let known = self
            .tables
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(known) = &known
            && !known.are_gone
            // Somebody else may have found them anew meanwhile.
            && outdated.is_none_or(|outdated| !Arc::ptr_eq(outdated, &known.tables))
            // A clock that was set back must not keep old knowledge alive for ever.
            && now.is_none_or(|now| known.since.abs_diff(now) < self.schema_refresh)
        {
            return Ok(Ok(Arc::clone(&known.tables)));
        }
        let in_use = known.as_ref().map(|known| &*known.tables);
        let found = Tables::find(connection, &self.schema, in_use).await?;
        let found = found.map(Arc::new);
        let known = match (&found, known) {
            (Ok(tables), _) => Some(Known {
                tables: Arc::clone(tables),
                // Found without knowing the time, it is old at the next lookup.
                since: now.unwrap_or(Timestamp::UNIX_EPOCH),
                are_gone: false,
            }),
            // Nobody needs to ask them before looking for them; when they come back, they are still those in use.
            (Err(_), known) => known.map(|known| Known {
                are_gone: true,
                ..known
            }),
        };
        *self.tables.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(found)
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
