//! Many clients and changing users, with a check of every response.
//!
//! The deployment is a real PostgreSQL, behind the cache with a listener, the single flight, the
//! batcher and the cache of JWTs. The short run is a test, the long one is `cargo xtask soak`.

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
use self::clients::ClientKind;
use self::mint::Mint;
pub use self::stats::Stats;
use self::validity::{Span, now};
use cluster::Database;
use support::fixtures::POSTGRES_TABLES;
use support::key_server::{KeyServer, Reply as KeyReply};
use support::rng::Rng;
use support::signer::{ISSUER, Signer, jwks};
use support::token::SECRET;

const USERS: usize = 200;
/// Each changes separate users.
const WRITERS: usize = 4;
const CLIENTS: u64 = 64;

/// The length of a soak.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// The number of requests through the service and over HTTP.
    Requests(u64, u64),
    /// The time through the service and over HTTP.
    Time(Duration),
}

/// The result.
#[derive(Debug)]
pub struct Summary {
    /// The counts of each client kind, with its duration.
    pub clients: Vec<(&'static str, Stats, Duration)>,
    /// The changes by kind.
    pub changes: BTreeMap<&'static str, u64>,
    /// The number of lookups that were not cached.
    pub lookups: u64,
}

/// Counts database lookups.
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

/// Runs on an empty database, with a pause after each change.
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
        clients: Vec::new(),
        changes: BTreeMap::new(),
        lookups: 0,
    };
    for name in ["in process", "over HTTP"] {
        let begun = Instant::now();
        let quota = Arc::new(Quota::of(length, name == "in process"));
        let mut clients = Vec::new();
        for number in 1..=CLIENTS {
            let client = match name {
                "in process" => ClientKind::service(&layer),
                _ => ClientKind::socket(address).await,
            };
            let rng = Rng::new(seed.wrapping_mul(7919) + number);
            clients.push(tokio::spawn(run_client(
                client,
                Arc::clone(&mint),
                Arc::clone(&quota),
                rng,
            )));
        }
        let mut stats = Stats::default();
        for client in clients {
            stats.add(client.await.unwrap());
        }
        summary.clients.push((name, stats, begun.elapsed()));
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

/// The remaining requests of a client kind.
struct Quota {
    requests: AtomicU64,
    until: Option<Instant>,
}

/// The number of requests before a client yields.
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

    /// The number of requests to send now.
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

async fn run_client(
    mut client: ClientKind,
    mint: Arc<Mint>,
    quota: Arc<Quota>,
    mut rng: Rng,
) -> Stats {
    let mut stats = Stats::default();
    loop {
        let round = quota.take();
        if round == 0 {
            return stats;
        }
        for _ in 0..round {
            let credential = mint.pool.any(&mut rng);
            let from = now();
            let reply = client.send(&credential).await;
            let span = Span { from, to: now() };
            let verdict = credential.judge(&reply, span);
            stats.count(&credential, &reply, span, verdict);
        }
        tokio::task::yield_now().await;
    }
}

impl Summary {
    /// The number of wrong responses.
    pub fn mistakes(&self) -> u64 {
        self.clients
            .iter()
            .map(|(_, stats, _)| stats.mistakes())
            .sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, stats, time) in &self.clients {
            let rate = stats.requests() as f64 / time.as_secs_f64();
            writeln!(f, "{name}: {:.1} s, {rate:.0} a second", time.as_secs_f64())?;
            write!(f, "{stats}")?;
        }
        for (what, count) in &self.changes {
            writeln!(f, "{what}: {count}")?;
        }
        writeln!(f, "lookups in the database: {}", self.lookups)
    }
}
