//! The store.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use deadpool_postgres::Pool;
use tokio_postgres::Row;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::builder::PostgresStoreBuilder;
use super::connections::Connection;
use super::failure::Failure;
use super::row;
use super::tables::Tables;
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::store::{
    Column, LayoutError, Lookup, LookupKey, LookupKind, Resolution, Schema, StoreError,
    StoreErrorKind, UserStore,
};

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
    /// Starts configuring a store for a database.
    pub fn builder(url: &str) -> PostgresStoreBuilder {
        PostgresStoreBuilder::new(url)
    }

    /// Makes a store with the defaults and asks it once; see [`PostgresStoreBuilder::connect`]. The database need not
    /// be up.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the address cannot be understood, or when several sets of tables could be Better Auth's.
    pub async fn connect(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url).connect().await
    }

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

    pub(super) async fn look_around(&self) -> Result<(), ConfigError> {
        use std::error::Error as _;
        let Err(error) = self.check().await else {
            return Ok(());
        };
        let source = error.source();
        let cause = source.map_or_else(|| error.to_string(), ToString::to_string);
        let layout_error = source.and_then(|source| source.downcast_ref::<LayoutError>());
        if let Some(LayoutError::Ambiguous { .. }) = layout_error {
            return Err(ConfigError::new("DATABASE_URL", "leaves a choice", cause));
        }
        tracing::warn!(
            cause,
            "the database cannot answer yet; requests get 503 until it can"
        );
        Ok(())
    }
}

impl UserStore for PostgresStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let now = lookup.now();
        let answer = self.inner.within_deadline(now, Question::Lookup(&lookup));
        // Only a check is answered with nothing.
        answer.await?.ok_or(StoreErrorKind::WrongAnswer.into())
    }

    async fn check(&self) -> Result<(), StoreError> {
        let now = SystemTime::now().into();
        let answer = self.inner.within_deadline(now, Question::Check).await;
        answer.map(|_| ())
    }
}

/// What is asked on a connection.
#[derive(Clone, Copy)]
enum Question<'a> {
    Lookup(&'a Lookup<'a>),
    /// Whether the tables are there and may be read.
    Check,
}

impl Question<'_> {
    async fn ask(
        self,
        connection: &Connection,
        tables: &Tables,
    ) -> Result<Result<Option<Resolution>, StoreError>, Failure> {
        match self {
            Self::Lookup(lookup) => {
                let answer = resolve(connection, tables, lookup).await?;
                Ok(answer.map(Some))
            }
            Self::Check => {
                connection.query(&tables.statements.check, &[]).await?;
                Ok(Ok(None))
            }
        }
    }
}

impl Inner {
    async fn within_deadline(
        &self,
        now: Timestamp,
        question: Question<'_>,
    ) -> Result<Option<Resolution>, StoreError> {
        tokio::time::timeout(self.deadline, self.attempt(now, question))
            .await
            .unwrap_or_else(|_| Err(StoreError::timeout()))
    }

    /// Asks; once more on another connection where the first one broke, and once more with freshly found tables where
    /// they are not what they were.
    async fn attempt(
        &self,
        now: Timestamp,
        question: Question<'_>,
    ) -> Result<Option<Resolution>, StoreError> {
        let (mut broken, mut changed) = (false, false);
        loop {
            let connection = Connection::acquire(&self.pool).await?;
            let answer = async {
                match self.tables(&connection, now, changed).await? {
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
        now: Timestamp,
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
            && known.since.abs_diff(now) < self.schema_refresh
        {
            return Ok(Ok(known.tables));
        }
        Ok(Tables::find(connection, &self.schema).await?.map(|tables| {
            let tables = Arc::new(tables);
            let known = Known {
                tables: Arc::clone(&tables),
                since: now,
            };
            *self.tables.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
            tables
        }))
    }
}

async fn resolve(
    connection: &Connection,
    tables: &Tables,
    lookup: &Lookup<'_>,
) -> Result<Result<Resolution, StoreError>, Failure> {
    if let LookupKey::UserId(id) = lookup.key()
        && !tables.layout.column_type(Column::UserId).may_hold(id)
    {
        return Ok(Ok(Resolution::UserNotFound));
    }
    let Some(session_id) = lookup.session_id() else {
        return ask(connection, tables, lookup, None).await;
    };
    let resolution = if tables
        .layout
        .column_type(Column::SessionId)
        .may_hold(session_id)
    {
        ask(connection, tables, lookup, Some(session_id)).await
    } else {
        Err(Failure::BadKey)
    };
    match resolution {
        // No session can have this id; whether there is such a user is still to be said.
        Err(Failure::BadKey) => {
            let resolution = ask(connection, tables, lookup, None).await?;
            Ok(resolution.map(|resolution| match resolution {
                Resolution::Found { .. } => Resolution::NoActiveSession,
                other => other,
            }))
        }
        other => other,
    }
}

async fn ask(
    connection: &Connection,
    tables: &Tables,
    lookup: &Lookup<'_>,
    session_id: Option<&str>,
) -> Result<Result<Resolution, StoreError>, Failure> {
    let statements = &tables.statements;
    let now = lookup.now().as_unix_seconds_f64();
    let now: (&(dyn ToSql + Sync), Type) = (&now, Type::FLOAT8);
    let session = session_id.map(Text);
    let session = session.as_ref().map(Text::parameter);
    let rows = match lookup.key() {
        LookupKey::Email(email) => {
            let (as_given, lower_cased) = (Text(email.as_given()), Text(email.lower_cased()));
            let keys = [as_given.parameter(), lower_cased.parameter(), now];
            match session {
                None => connection.query(&statements.by_email, &keys).await,
                Some(session) => {
                    let [as_given, lower_cased, now] = keys;
                    let keys = [as_given, lower_cased, now, session];
                    connection
                        .query(&statements.by_email_and_session, &keys)
                        .await
                }
            }
        }
        LookupKey::UserId(id) => {
            let id = Text(id);
            match session {
                None => {
                    connection
                        .query(&statements.by_user_id, &[id.parameter(), now])
                        .await
                }
                Some(session) => {
                    let keys = [id.parameter(), now, session];
                    connection
                        .query(&statements.by_user_id_and_session, &keys)
                        .await
                }
            }
        }
        LookupKey::SessionToken(token) => {
            let Some(sql) = &statements.by_token else {
                let cause = "the session table has no `token` column";
                return Ok(Err(StoreError::new(StoreErrorKind::Unsupported, cause)));
            };
            let token = Text(token.expose());
            connection.query(sql, &[token.parameter(), now]).await
        }
    };
    match rows {
        Ok(rows) => Ok(answer(rows.first(), lookup)),
        Err(Failure::BadKey) if session_id.is_none() => Ok(Ok(nothing(lookup))),
        Err(failure) => Err(failure),
    }
}

fn answer(row: Option<&Row>, lookup: &Lookup<'_>) -> Result<Resolution, StoreError> {
    let Some(row) = row else {
        return Ok(nothing(lookup));
    };
    let Some(user) = row::user(row)? else {
        return Ok(Resolution::UserNotFound);
    };
    let Some(session) = row::session(row)? else {
        return Ok(Resolution::NoActiveSession);
    };
    if lookup.session_id().is_some_and(|id| id != session.id()) {
        return Ok(Resolution::NoActiveSession);
    }
    Ok(Resolution::found(user, session))
}

/// What it means that there is no row at all.
fn nothing(lookup: &Lookup<'_>) -> Resolution {
    match lookup.key().kind() {
        LookupKind::SessionToken => Resolution::NoActiveSession,
        LookupKind::Email | LookupKind::UserId => Resolution::UserNotFound,
    }
}

/// A parameter in text form and of unknown type, for which the server takes the column's.
#[derive(Debug)]
struct Text<'a>(&'a str);

impl Text<'_> {
    fn parameter(&self) -> (&(dyn ToSql + Sync), Type) {
        (self, Type::UNKNOWN)
    }
}

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.inner.schema)
            .field("deadline", &self.inner.deadline)
            .finish_non_exhaustive()
    }
}
