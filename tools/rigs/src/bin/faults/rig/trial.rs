//! The course of a fault: all is well, it strikes, it lasts, it ends, and all has to be well again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use support::token::SECRET;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::Connection;
use super::fixtures::World;
use super::footprint::{Footprint, mebibytes};
use super::kind::{CheckStatus, Kind};
use super::load::{Load, Mix};
use super::record::Record;
use crate::finding::Check;

/// What a fault is expected to be for those whom it concerns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// Nobody notices.
    Nothing,
    /// Some may get a `503`.
    MayFail(fn(Kind) -> bool),
    /// Some do get a `503`; a fault that nobody notices has not struck.
    Fails(fn(Kind) -> bool),
}

impl Expected {
    fn record(self, grace: Duration) -> Record {
        match self {
            Self::Nothing => Record::new(|_| false, grace),
            Self::MayFail(kinds) | Self::Fails(kinds) => Record::new(kinds, grace),
        }
    }
}

/// Connections are opened, caches and pools filled.
const WARM_UP: Duration = Duration::from_secs(2);
const BEFORE: Duration = Duration::from_secs(1);

/// After a fault's end, requests may still be refused for so long.
const GRACE: Duration = Duration::from_secs(2);

/// So long everything has to be well after the time of grace.
const STEADY: Duration = Duration::from_secs(2);

/// What is given back with delay, such as Tokio's threads for names, which live for ten seconds.
const SETTLING: Duration = Duration::from_secs(15);

/// The pool's default.
const MOST_CONNECTIONS: usize = 16;

/// Sockets on their way to the service behind the layer.
const FILES_SLACK: usize = 8;
const THREADS_SLACK: u64 = 1;
const MEMORY_SLACK: u64 = 16 * 1024 * 1024;

/// As many at once as find no place on a lane.
const BURST: usize = 64;

/// A fault's course in a world.
#[derive(Debug)]
pub(crate) struct Trial<'w> {
    world: &'w World,
    load: Load,
    record: Arc<Record>,
    expected: Expected,
    grace: Duration,
    before: Footprint,
}

impl<'w> Trial<'w> {
    /// Puts the load on, and waits until it is steady.
    pub(crate) async fn begin(world: &'w World, mix: Mix, expected: Expected) -> Self {
        let record = expected.record(GRACE);
        Self::under(world, mix, expected, record, GRACE).await
    }

    /// The same for a fault that is there already, and with a time of grace of its own.
    pub(crate) async fn begin_amid(
        world: &'w World,
        mix: Mix,
        expected: Expected,
        grace: Duration,
    ) -> Self {
        let record = expected.record(grace);
        record.begins();
        Self::under(world, mix, expected, record, grace).await
    }

    async fn under(
        world: &'w World,
        mix: Mix,
        expected: Expected,
        record: Record,
        grace: Duration,
    ) -> Self {
        let record = Arc::new(record);
        let people = &world.backing.people;
        let load = Load::start(world.server.address, people, mix, &record);
        sleep(WARM_UP).await;
        let before = world.footprint().await;
        sleep(BEFORE).await;
        Self {
            world,
            load,
            record,
            expected,
            grace,
            before,
        }
    }

    /// Said before the fault is made.
    pub(crate) fn strikes(&self) {
        self.record.begins();
    }

    /// Said when it is over.
    pub(crate) fn ends(&self) {
        self.record.ends();
    }

    /// Waits for the recovery, looks for what is left, and ends the load.
    pub(crate) async fn conclude(self) -> Check {
        sleep(self.grace + STEADY).await;
        let after = self.settled().await;
        let mut violations = self.burst().await;
        self.load.stop().await;
        violations.extend(self.record.violations());
        violations.extend(excess(self.before, after));
        violations.extend(indiscretion(&self.world.server.log()));
        if after.connections > MOST_CONNECTIONS {
            violations.push(format!("{} connections to the database", after.connections));
        }
        let (answers, refused) = self.record.answers();
        if answers < 500 {
            violations.push(format!(
                "there were {answers} answers in all, which proves nothing"
            ));
        }
        if matches!(self.expected, Expected::Fails(_)) && refused == 0 {
            violations.push("nobody noticed, so the fault did not strike".to_owned());
        }
        if !violations.is_empty() {
            eprintln!("{}", self.world.server.last_words());
        }
        Check {
            cells: cells(&self.record, self.before, after),
            violations,
        }
    }

    /// What the server holds once it has given back what it is going to.
    async fn settled(&self) -> Footprint {
        let patience = Instant::now() + SETTLING;
        loop {
            let now = self.world.footprint().await;
            if excess(self.before, now).is_empty() || Instant::now() > patience {
                return now;
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Many at once: a place in the pool or on a lane that was lost would show.
    async fn burst(&self) -> Vec<String> {
        let mut askers = JoinSet::new();
        for number in 0..BURST {
            let (people, address) = (
                Arc::clone(&self.world.backing.people),
                self.world.server.address,
            );
            askers.spawn(async move {
                let kind = Kind::Token;
                let asked = &people.requests(kind)[number];
                let mut connection = Connection::open(address).await?;
                let reply = connection.ask(&asked.bytes).await?;
                match kind.judge(&asked.echo, reply.status, reply.body) {
                    CheckStatus::Right => Ok(()),
                    _ => Err(format!("answers {} in the burst", reply.status)),
                }
            });
        }
        let outcomes = askers.join_all().await;
        outcomes
            .into_iter()
            .filter_map(Result::err)
            .take(1)
            .collect()
    }
}

/// Good, bad, other; slowest; recovery; leftovers.
fn cells(record: &Record, before: Footprint, after: Footprint) -> Vec<String> {
    let recovery = match record.recovery() {
        Duration::ZERO => "0".to_owned(),
        recovery => format!("{:.2} s", recovery.as_secs_f64()),
    };
    vec![
        record.counts(Kind::is_good),
        record.counts(Kind::is_bad),
        record.counts(|kind| !kind.is_good() && !kind.is_bad()),
        format!("{:.2} s", record.slowest_good().as_secs_f64()),
        recovery,
        format!(
            "files {} → {}, threads {} → {}, MiB {} → {}, connections {} → {}",
            before.files,
            after.files,
            before.threads,
            after.threads,
            mebibytes(before.memory),
            mebibytes(after.memory),
            before.connections,
            after.connections,
        ),
    ]
}

/// What the server holds more than before.
fn excess(before: Footprint, now: Footprint) -> Vec<String> {
    let mut excess = Vec::new();
    // The pool keeps the connections that it needed.
    let files = now.files.saturating_sub(now.connections);
    if files > before.files.saturating_sub(before.connections) + FILES_SLACK {
        excess.push(format!("open files: {} → {}", before.files, now.files));
    }
    if now.threads > before.threads + THREADS_SLACK {
        excess.push(format!("threads: {} → {}", before.threads, now.threads));
    }
    if now.memory > before.memory + MEMORY_SLACK {
        let (before, now) = (mebibytes(before.memory), mebibytes(now.memory));
        excess.push(format!("memory: {before} → {now} MiB"));
    }
    excess
}

/// What no log may say.
fn indiscretion(log: &str) -> Option<String> {
    let secrets = [
        SECRET,
        "throw-away",
        "@example.com",
        "eyJ",
        "usrx000",
        "ordeal.internal",
        "198.18.",
    ];
    let told = secrets.into_iter().find(|secret| log.contains(secret))?;
    Some(format!("the log says {told:?}"))
}
