//! The task of a listener.

use std::fmt::{self, Write as _};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{Failure, PostgresError};
use super::listener::{Endpoint, Inner};
use super::triggers::{CHANNEL, Lack, Triggers};
use crate::cache::WeakCacheInvalidator;
use crate::diagnostics::Check;
use crate::sql::SchemaError;

/// How long each step on the way to listening may take.
const LONGEST_STEP: Duration = Duration::from_secs(5);

/// How long an announcement may be on its way when it is tried out.
const LONGEST_WAY: Duration = Duration::from_secs(2);

/// How long to wait before the next attempt, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often to see whether the triggers are still those for the tables.
const TRIGGER_CHECK: Duration = Duration::from_secs(60);

/// So many heartbeats after the last one that was answered, the listener counts as lost.
const PATIENCE: u32 = 3;

type ListenerConnection = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Listens, and connects again whenever that ends, as long as there is a cache to tell.
pub(super) async fn run(settings: Arc<Inner>, cache: WeakCacheInvalidator) {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let ended = {
            // However this ends, also in a panic: what is not heard is not known.
            let _silence = Silence(&cache);
            listen(&settings, &cache).await
        };
        let Err(lost) = ended else {
            return;
        };
        tracing::warn!(
            error = lost.to_string(),
            "there is no listener; the cache asks its store every time until there is one"
        );
        if started.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

struct Silence<'a>(&'a WeakCacheInvalidator);

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        if let Some(cache) = self.0.upgrade() {
            cache.end_lease();
        }
    }
}

/// Why there is no listener.
enum Lost {
    Postgres(PostgresError),
    /// The server did not answer in time, or closed the connection.
    Silent(&'static str),
    NotHeard,
    Schema(SchemaError),
    Triggers,
}

/// Listens until the connection is lost, or nobody has the cache any more.
async fn listen(settings: &Inner, cache: &WeakCacheInvalidator) -> Result<(), Lost> {
    let (client, connection) = connect(&settings.direct).await?;
    let (heard, canary) = watch::channel(String::new());
    let hear = hear(connection, &heard, |said| tell(cache, said));
    let keep_up = keep_up(settings, cache, &client, canary);
    let (mut hear, mut keep_up) = (pin!(hear), pin!(keep_up));
    // What was announced before a heartbeat was answered is told to the cache before that answer counts.
    poll_fn(|cx| match hear.as_mut().poll(cx) {
        Poll::Ready(lost) => Poll::Ready(Err(lost)),
        Poll::Pending => keep_up.as_mut().poll(cx),
    })
    .await
}

/// Tries out once what [`run`] does, for whoever wants to know before it counts.
pub(super) async fn check(settings: &Inner) -> Check {
    const WHAT: &str = "listener";
    match try_once(settings).await {
        Ok(()) => Check::ok(WHAT, "the database tells what changes, and it is heard"),
        // The other ones say what to do themselves.
        Err(lost @ (Lost::Postgres(_) | Lost::Silent(_))) => Check::failed(WHAT, lost.to_string()).with_remedy(
            "see that DATABASE_DIRECT_URL (or DATABASE_URL, where that is not set) leads to the database without a pooler in between",
        ),
        Err(lost) => Check::failed(WHAT, lost.to_string()),
    }
}

async fn try_once(settings: &Inner) -> Result<(), Lost> {
    let (client, connection) = connect(&settings.direct).await?;
    let (heard, canary) = watch::channel(String::new());
    let hear = hear(connection, &heard, |_| {});
    let arrive = arrive(settings, &client, canary);
    let (mut hear, mut arrive) = (pin!(hear), pin!(arrive));
    poll_fn(|cx| match hear.as_mut().poll(cx) {
        Poll::Ready(lost) => Poll::Ready(Err(lost)),
        Poll::Pending => arrive.as_mut().poll(cx),
    })
    .await
}

/// Connects, without a task to drive the connection.
pub(super) async fn connect(endpoint: &Endpoint) -> Result<(Client, ListenerConnection), Failure> {
    let connecting = endpoint.config.connect(endpoint.tls.clone());
    match timeout(LONGEST_STEP, connecting).await {
        Ok(connected) => connected.map_err(|error| Failure::of_connecting(&error)),
        Err(_) => Err(Failure::NotYet(PostgresError::no_connection())),
    }
}

/// Drives the connection, and passes on what is announced on it.
async fn hear(
    mut connection: ListenerConnection,
    canary: &watch::Sender<String>,
    pass_on: impl Fn(&str),
) -> Lost {
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notification(said))) if said.channel() == CHANNEL => {
                match said.payload().strip_prefix("canary:") {
                    Some(nonce) => {
                        canary.send_replace(nonce.to_owned());
                    }
                    None => pass_on(said.payload()),
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Lost::from(Failure::of_query(&error)),
            None => return Lost::Silent("the server closed the connection"),
        }
    }
}

fn tell(cache: &WeakCacheInvalidator, payload: &str) {
    let Some(cache) = cache.upgrade() else {
        return;
    };
    match payload.split_once(':') {
        Some(("user", id)) => cache.invalidate_user(id),
        Some(("session", id)) => cache.invalidate_session(id),
        // `all`, and whatever triggers of another version may say.
        _ => cache.invalidate_all(),
    }
}

/// Makes sure that announcements are made and heard, and says so to the cache for as long as it is true.
async fn keep_up(
    settings: &Inner,
    cache: &WeakCacheInvalidator,
    client: &Client,
    canary: watch::Receiver<String>,
) -> Result<(), Lost> {
    arrive(settings, client, canary).await?;
    tracing::info!("the database tells the cache what changes");
    let mut checked = Instant::now();
    let patience = settings.heartbeat * PATIENCE;
    loop {
        let sent = Instant::now();
        answered(patience, client.batch_execute("")).await?;
        let Some(cache) = cache.upgrade() else {
            return Ok(());
        };
        // The first time, this empties the cache: now that announcements are heard, and not before.
        cache.extend_lease(patience.saturating_sub(sent.elapsed()));
        drop(cache);
        if checked.elapsed() >= TRIGGER_CHECK {
            check_triggers(settings, client).await?;
            checked = Instant::now();
        }
        sleep(settings.heartbeat).await;
    }
}

/// Makes sure once that announcements are made and heard.
async fn arrive(
    settings: &Inner,
    client: &Client,
    canary: watch::Receiver<String>,
) -> Result<(), Lost> {
    let listen = format!("LISTEN {CHANNEL}");
    answered(LONGEST_STEP, client.batch_execute(&listen)).await?;
    try_out(&settings.query, canary).await?;
    check_triggers(settings, client).await
}

async fn answered(
    patience: Duration,
    query: impl Future<Output = Result<(), tokio_postgres::Error>>,
) -> Result<(), Lost> {
    match timeout(patience, query).await {
        Ok(answer) => answer.map_err(|error| Lost::from(Failure::of_query(&error))),
        Err(_) => Err(Lost::Silent("the server did not answer in time")),
    }
}

/// Announces something where the store asks, and waits until it is heard here.
async fn try_out(query: &Endpoint, mut canary: watch::Receiver<String>) -> Result<(), Lost> {
    let nonce = nonce();
    let (client, connection) = connect(query).await?;
    let announce = async {
        let announcement = format!("canary:{nonce}");
        let statement = "SELECT pg_catalog.pg_notify($1, $2)";
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&CHANNEL, Type::TEXT), (&announcement, Type::TEXT)];
        let answer = client.query_typed(statement, &parameters).await;
        answer.map_err(|error| Lost::from(Failure::of_query(&error)))
    };
    let (mut announce, mut connection) = (pin!(announce), pin!(connection));
    let announced = poll_fn(|cx| match announce.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(answer.map(|_| ())),
        Poll::Pending => connection
            .as_mut()
            .poll(cx)
            .map(|_| Err(Lost::Silent("the server closed the connection"))),
    });
    let Ok(announced) = timeout(LONGEST_STEP, announced).await else {
        return Err(Lost::Silent("the server did not answer in time"));
    };
    announced?;
    let heard = timeout(LONGEST_WAY, canary.wait_for(|heard| *heard == nonce)).await;
    match heard {
        Ok(Ok(_)) => Ok(()),
        _ => Err(Lost::NotHeard),
    }
}

fn nonce() -> String {
    let mut bytes = [0; 16];
    // Without randomness it is the same for all; others' announcements are then taken for one's own at worst.
    let _ = rand::fill(&mut bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn check_triggers(settings: &Inner, client: &Client) -> Result<(), Lost> {
    let check = async {
        let triggers = Triggers::find(client, &settings.schema).await?;
        triggers.check(client).await
    };
    match timeout(LONGEST_STEP, check).await {
        Ok(checked) => checked.map_err(Lost::from),
        Err(_) => Err(Lost::Silent("the server did not answer in time")),
    }
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Dead(error)
            | Failure::NotYet(error)
            | Failure::BadValue(error)
            | Failure::SchemaChanged(error)
            | Failure::Unable(error)
            | Failure::Other(error) => Self::Postgres(error),
            Failure::BadText | Failure::Gone => Self::Silent("the connection cannot be used"),
        }
    }
}

impl From<Lack> for Lost {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Failure(failure) => failure.into(),
            Lack::Schema(error) => Self::Schema(error),
            Lack::Triggers => Self::Triggers,
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(error) => error.fmt(f),
            Self::Silent(what) => f.write_str(what),
            Self::NotHeard => f.write_str(
                "what is announced at DATABASE_URL is not heard at DATABASE_DIRECT_URL; the latter must lead to the same database without a pooler in between",
            ),
            Self::Schema(error) => error.fmt(f),
            Self::Triggers => f.write_str(
                "the triggers are missing, switched off, or not those for the columns that there are; run what `PostgresListener::trigger_sql` prints, as the owner of the tables",
            ),
        }
    }
}
