//! The task of a [`PostgresListener`](super::PostgresListener): it forwards notifications to the
//! cache and extends the cache's lease.
//!
//! The cache may serve cached results only while notifications are known to arrive. So the lease is
//! extended only after delivery has been tested end to end and after each heartbeat, and it ends
//! when the task stops for any reason. Notifications are processed before the heartbeat that
//! follows them, so a lease never outlives an unprocessed notification.

use std::fmt::{self, Write as _};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{PostgresError, QueryError};
use super::listener::{Endpoint, Inner};
use super::query::Parameter;
use super::triggers::{CHANNEL, TriggerError, Triggers};
use crate::cache::WeakCacheInvalidator;
use crate::diagnostics::Check;
use crate::sql::SchemaError;
use crate::store::StoreError;

/// The timeout of each step before the first heartbeat.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// The timeout of the test notification.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(2);

/// The first and the longest pause before another attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How often the triggers are compared with the tables.
const TRIGGER_CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// The length of a lease in heartbeats.
const LEASE_HEARTBEATS: u32 = 3;

const NO_RESPONSE: ListenError = ListenError::Unresponsive("the server did not respond in time");
const CLOSED: ListenError = ListenError::Unresponsive("the server closed the connection");

type ListenerConnection = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Listens until the cache is dropped, and reconnects after each error.
pub(super) async fn run(settings: Arc<Inner>, cache: WeakCacheInvalidator) {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let result = {
            let _guard = LeaseGuard(&cache);
            listen(&settings, &cache).await
        };
        let Err(error) = result else {
            return;
        };
        tracing::warn!(
            error = error.to_string(),
            "the listener is not connected; the cache forwards every lookup to its store"
        );
        if started.elapsed() > MAX_PAUSE {
            pause = FIRST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Ends the lease when it is dropped, also after a panic.
struct LeaseGuard<'a>(&'a WeakCacheInvalidator);

impl Drop for LeaseGuard<'_> {
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            cache.end_lease();
        }
    }
}

/// Why notifications do not arrive.
enum ListenError {
    Postgres(PostgresError),
    Unresponsive(&'static str),
    NotDelivered,
    Schema(SchemaError),
    TriggersMissing,
    Store(StoreError),
}

/// Listens until the connection is lost or the cache is dropped.
async fn listen(settings: &Inner, cache: &WeakCacheInvalidator) -> Result<(), ListenError> {
    let (client, connection) = connect(&settings.direct).await?;
    let (test_sender, test_receiver) = watch::channel(String::new());
    // Notifications are polled first: all that arrived before a heartbeat are processed before the
    // heartbeat extends the lease.
    tokio::select! {
        biased;
        error = receive(connection, &test_sender, |payload| invalidate(cache, payload)) => Err(error),
        result = extend_lease(settings, cache, &client, test_receiver) => result,
    }
}

/// Tests once what [`run`] needs.
pub(super) async fn check(settings: &Inner) -> Check {
    const SUBJECT: &str = "listener";
    match test_once(settings).await {
        Ok(()) => Check::ok(SUBJECT, "receives notifications of changes"),
        Err(error @ (ListenError::Postgres(_) | ListenError::Unresponsive(_) | ListenError::Store(_))) => {
            Check::failed(SUBJECT, error.to_string()).with_remedy(
                "check that DATABASE_DIRECT_URL (or DATABASE_URL, if the former is not set) connects to the database without a pooler",
            )
        }
        // The text of the other errors contains the remedy.
        Err(error) => Check::failed(SUBJECT, error.to_string()),
    }
}

async fn test_once(settings: &Inner) -> Result<(), ListenError> {
    let (client, connection) = connect(&settings.direct).await?;
    let (test_sender, test_receiver) = watch::channel(String::new());
    tokio::select! {
        biased;
        error = receive(connection, &test_sender, |_| {}) => Err(error),
        result = start_listening(settings, &client, test_receiver) => result,
    }
}

/// Connects, without a task that drives the connection.
pub(super) async fn connect(
    endpoint: &Endpoint,
) -> Result<(Client, ListenerConnection), QueryError> {
    let attempt = endpoint.config.connect(endpoint.tls.clone());
    match timeout(STEP_TIMEOUT, attempt).await {
        Ok(result) => result.map_err(|error| QueryError::from_connect(&error)),
        Err(_) => Err(QueryError::NotReady(PostgresError::no_connection())),
    }
}

/// Drives the connection. Sends test notifications to `test_sender` and handles all others with
/// `on_change`.
async fn receive(
    mut connection: ListenerConnection,
    test_sender: &watch::Sender<String>,
    on_change: impl Fn(&str),
) -> ListenError {
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notification(notification)))
                if notification.channel() == CHANNEL =>
            {
                match notification.payload().strip_prefix("canary:") {
                    Some(nonce) => {
                        test_sender.send_replace(nonce.to_owned());
                    }
                    None => on_change(notification.payload()),
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return QueryError::from_query(&error).into(),
            None => return CLOSED,
        }
    }
}

fn invalidate(cache: &WeakCacheInvalidator, payload: &str) {
    let Some(cache) = cache.upgrade() else {
        return;
    };
    match payload.split_once(':') {
        Some(("user", id)) => cache.invalidate_user(id),
        Some(("session", id)) => cache.invalidate_session(id),
        // `all`, or a payload of another version's triggers.
        _ => cache.invalidate_all(),
    }
}

/// Tests delivery, and then extends the lease with each heartbeat.
async fn extend_lease(
    settings: &Inner,
    cache: &WeakCacheInvalidator,
    client: &Client,
    test_receiver: watch::Receiver<String>,
) -> Result<(), ListenError> {
    start_listening(settings, client, test_receiver).await?;
    tracing::info!("the listener is connected and receives notifications of changes");
    let mut triggers_checked = Instant::now();
    let lease = settings.heartbeat * LEASE_HEARTBEATS;
    loop {
        let sent = Instant::now();
        execute(lease, client.batch_execute("")).await?;
        let Some(cache) = cache.upgrade() else {
            return Ok(());
        };
        // The first call clears the cache: entries from before may have missed notifications.
        cache.extend_lease(lease.saturating_sub(sent.elapsed()));
        drop(cache);
        if triggers_checked.elapsed() >= TRIGGER_CHECK_INTERVAL {
            check_triggers(settings, client).await?;
            triggers_checked = Instant::now();
        }
        sleep(settings.heartbeat).await;
    }
}

/// Listens, and tests that notifications are sent and arrive.
async fn start_listening(
    settings: &Inner,
    client: &Client,
    test_receiver: watch::Receiver<String>,
) -> Result<(), ListenError> {
    let listen = format!("LISTEN {CHANNEL}");
    execute(STEP_TIMEOUT, client.batch_execute(&listen)).await?;
    test_delivery(&settings.query, test_receiver).await?;
    check_triggers(settings, client).await
}

async fn execute(
    max: Duration,
    query: impl Future<Output = Result<(), tokio_postgres::Error>>,
) -> Result<(), ListenError> {
    match timeout(max, query).await {
        Ok(result) => result.map_err(|error| QueryError::from_query(&error).into()),
        Err(_) => Err(NO_RESPONSE),
    }
}

/// Sends a notification through the store's URL and waits until it arrives.
async fn test_delivery(
    query: &Endpoint,
    mut test_receiver: watch::Receiver<String>,
) -> Result<(), ListenError> {
    let nonce = nonce();
    let (client, connection) = connect(query).await?;
    let notify = async {
        let payload = format!("canary:{nonce}");
        let statement = "SELECT pg_catalog.pg_notify($1, $2)";
        let parameters: [Parameter<'_>; 2] = [(&CHANNEL, Type::TEXT), (&payload, Type::TEXT)];
        let rows = client.query_typed(statement, &parameters).await;
        rows.map_err(|error| ListenError::from(QueryError::from_query(&error)))
    };
    let sent = async {
        tokio::select! {
            biased;
            rows = notify => rows.map(|_| ()),
            _ = connection => Err(CLOSED),
        }
    };
    timeout(STEP_TIMEOUT, sent)
        .await
        .unwrap_or(Err(NO_RESPONSE))?;
    let arrived = test_receiver.wait_for(|payload| *payload == nonce);
    match timeout(DELIVERY_TIMEOUT, arrived).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(ListenError::NotDelivered),
    }
}

fn nonce() -> String {
    let mut bytes = [0; 16];
    // If the random generator fails, the test notification of another listener may be accepted.
    let _ = rand::fill(&mut bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn check_triggers(settings: &Inner, client: &Client) -> Result<(), ListenError> {
    let check = async {
        let triggers = Triggers::find(client, &settings.schema).await?;
        triggers.check(client).await
    };
    match timeout(STEP_TIMEOUT, check).await {
        Ok(result) => result.map_err(ListenError::from),
        Err(_) => Err(NO_RESPONSE),
    }
}

impl From<QueryError> for ListenError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::ConnectionLost(error)
            | QueryError::NotReady(error)
            | QueryError::InvalidValue(error)
            | QueryError::SchemaChanged(error)
            | QueryError::ServerFailed(error)
            | QueryError::Other(error) => Self::Postgres(error),
            QueryError::Store(error) => Self::Store(error),
            QueryError::InvalidText | QueryError::NoConnection => {
                Self::Unresponsive("the connection is not usable")
            }
        }
    }
}

impl From<TriggerError> for ListenError {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::Query(error) => error.into(),
            TriggerError::Schema(error) => Self::Schema(error),
            TriggerError::Missing => Self::TriggersMissing,
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(error) => error.fmt(f),
            Self::Unresponsive(text) => f.write_str(text),
            Self::NotDelivered => f.write_str(
                "notifications that are sent through DATABASE_URL do not arrive at DATABASE_DIRECT_URL; the latter must connect to the same database without a pooler",
            ),
            Self::Schema(error) => error.fmt(f),
            Self::TriggersMissing => f.write_str(
                "the triggers are missing or disabled, or do not match the columns; run the output of `PostgresListener::trigger_sql` as the owner of the tables",
            ),
            Self::Store(error) => error.fmt(f),
        }
    }
}
