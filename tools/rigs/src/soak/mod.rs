//! Many clients, users who come and go, and every answer held against what it may be.
//!
//! The deployment is a real PostgreSQL; before it stand the cache, which a listener tells what has changed, the single flight,
//! the batcher and the memory of JWTs. The short run is a test, the long one `cargo xtask soak`.

mod changes;
mod clients;
mod history;
mod mint;
mod stats;
mod validity;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use better_auth_layer::api_key::ApiKeys;
use better_auth_layer::cache::CachedStore;
use better_auth_layer::jwks::RemoteKeySource;
use better_auth_layer::postgres::{PostgresListener, PostgresStore};
use better_auth_layer::store::LookupKind;
use better_auth_layer::{BetterAuthLayer, Lookup, Resolution, Secret, StoreError, UserStore};

use self::changes::Changes;
use self::clients::Door;
use self::mint::Mint;
pub use self::stats::Tally;
use self::validity::{Span, now};
use cluster::Database;
use support::fixtures::POSTGRES_TABLES;
use support::key_server::{KeyServer, Reply as KeyReply};
use support::rng::Dice;
use support::signer::{ISSUER, Signer, jwks};
use support::token::SECRET;

const USERS: usize = 200;
/// Each changes users of its own.
const WRITERS: usize = 4;
const CLIENTS: u64 = 64;

/// How long a soak is.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// So many requests through the service, and so many over HTTP.
    Requests(u64, u64),
    /// So long through the service, and so long over HTTP.
    Time(Duration),
}

/// What came out.
#[derive(Debug)]
pub struct Summary {
    /// What was answered, for each door with the time that it took.
    pub doors: Vec<(&'static str, Tally, Duration)>,
    /// The changes by kind.
    pub changes: BTreeMap<&'static str, u64>,
    /// How many lookups went past the cache to the database.
    pub lookups: u64,
}

/// Counts what the database is asked.
struct Counting {
    store: PostgresStore,
    lookups: Arc<AtomicU64>,
}

impl UserStore for Counting {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        UserStore::resolve(&self.store, lookup).await
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.store.supports(kind)
    }
}

/// Runs it on an empty database, with a pause after each change.
pub async fn run(database: &Database, length: Length, pause: Duration, seed: u64) -> Summary {
    database.execute(POSTGRES_TABLES).await;
    let listener = PostgresListener::builder(database.url()).build().unwrap();
    let triggers = listener.trigger_sql().await.unwrap();
    database.execute(&triggers).await;

    let mint = Arc::new(Mint {
        signer: Signer::ed25519("soak"),
        pool: Default::default(),
    });
    let issuer = KeyServer::start(KeyReply::Body(jwks([&mint.signer]))).await;
    let lookups = Arc::new(AtomicU64::new(0));
    let store = CachedStore::new(Counting {
        store: PostgresStore::connect(database.url()).await.unwrap(),
        lookups: Arc::clone(&lookups),
    });
    listener.listen(&store.invalidator());
    let layer = BetterAuthLayer::builder()
        .secret(Secret::new(SECRET).unwrap())
        .base_url(ISSUER)
        .key_source(RemoteKeySource::new(&issuer.url()).unwrap())
        .api_keys(ApiKeys::new())
        .accept_raw_session_tokens()
        .store(store)
        .build()
        .unwrap();

    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        let seed = seed.wrapping_mul(1000) + number as u64 + 1;
        let changes = Changes::begin(database, &mint, USERS / WRITERS, seed).await;
        writers.push(tokio::spawn(changes.run(Arc::clone(&stop), pause)));
    }
    let address = clients::serve(&layer).await;
    let mut summary = Summary {
        doors: Vec::new(),
        changes: BTreeMap::new(),
        lookups: 0,
    };
    for name in ["in process", "over HTTP"] {
        let begun = Instant::now();
        let quota = Arc::new(Quota::of(length, name == "in process"));
        let mut clients = Vec::new();
        for number in 1..=CLIENTS {
            let door = match name {
                "in process" => Door::service(&layer),
                _ => Door::socket(address).await,
            };
            let dice = Dice::new(seed.wrapping_mul(7919) + number);
            clients.push(tokio::spawn(client(
                door,
                Arc::clone(&mint),
                Arc::clone(&quota),
                dice,
            )));
        }
        let mut tally = Tally::default();
        for client in clients {
            tally.add(client.await.unwrap());
        }
        summary.doors.push((name, tally, begun.elapsed()));
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        for (what, count) in writer.await.unwrap().made {
            *summary.changes.entry(what).or_default() += count;
        }
    }
    summary.lookups = lookups.load(Ordering::Relaxed);
    summary
}

/// What is left to do by one door.
struct Quota {
    requests: AtomicU64,
    until: Option<Instant>,
}

/// How many requests a client sends before it lets others go on.
const ROUND: u64 = 32;

impl Quota {
    fn of(length: Length, is_first: bool) -> Self {
        let (requests, until) = match length {
            Length::Requests(requests, _) if is_first => (requests, None),
            Length::Requests(_, requests) => (requests, None),
            Length::Time(time) => (u64::MAX, Some(Instant::now() + time)),
        };
        Self {
            requests: AtomicU64::new(requests),
            until,
        }
    }

    /// How many to send now.
    fn take(&self) -> u64 {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return 0;
        }
        let take = |left: u64| Some(left.saturating_sub(ROUND));
        let left = self
            .requests
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        left.unwrap_or_default().min(ROUND)
    }
}

async fn client(mut door: Door, mint: Arc<Mint>, quota: Arc<Quota>, mut dice: Dice) -> Tally {
    let mut tally = Tally::default();
    loop {
        let round = quota.take();
        if round == 0 {
            return tally;
        }
        for _ in 0..round {
            let credential = mint.pool.any(&mut dice);
            let from = now();
            let reply = door.send(&credential).await;
            let span = Span { from, to: now() };
            let verdict = credential.judge(&reply, span);
            tally.count(&credential, &reply, span, verdict);
        }
        tokio::task::yield_now().await;
    }
}

impl Summary {
    /// How many answers were wrong.
    pub fn mistakes(&self) -> u64 {
        self.doors
            .iter()
            .map(|(_, tally, _)| tally.mistakes())
            .sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, tally, time) in &self.doors {
            let rate = tally.requests() as f64 / time.as_secs_f64();
            writeln!(f, "{name}: {:.1} s, {rate:.0} a second", time.as_secs_f64())?;
            write!(f, "{tally}")?;
        }
        for (what, count) in &self.changes {
            writeln!(f, "{what}: {count}")?;
        }
        writeln!(f, "lookups in the database: {}", self.lookups)
    }
}
