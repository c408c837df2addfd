//! The course of a fault: a steady load, the fault, its end, and the recovery.

use std::sync::Arc;
use std::time::{Duration, Instant};

use support::token::SECRET;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::Connection;
use super::fixtures::Fixture;
use super::footprint::{Footprint, mebibytes};
use super::kind::{Kind, Verdict};
use super::load::{Load, Mix};
use super::record::Record;
use crate::check::Check;

/// The expected effect of a fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// No effect.
    Nothing,
    /// Some requests may get a `503`.
    MayFail(fn(Kind) -> bool),
    /// Some requests get a `503`. Otherwise the fault had no effect.
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

/// Opens connections and fills caches and pools.
const WARM_UP: Duration = Duration::from_secs(2);
const BEFORE: Duration = Duration::from_secs(1);

/// The time after a fault during which a `503` is allowed.
const GRACE: Duration = Duration::from_secs(2);

/// The time after that during which no request may fail.
const STEADY: Duration = Duration::from_secs(2);

/// The delay of resources such as tokio's resolver threads, which live for ten seconds.
const SETTLING: Duration = Duration::from_secs(15);

/// The pool's default.
const MOST_CONNECTIONS: usize = 16;

/// New sockets to the service behind the layer.
const FILES_SLACK: usize = 8;
const THREADS_SLACK: u64 = 1;
const MEMORY_SLACK: u64 = 16 * 1024 * 1024;

/// More than the shared connections hold.
const BURST: usize = 64;

/// The run of a fault.
#[derive(Debug)]
pub(crate) struct Trial<'w> {
    fixture: &'w Fixture,
    load: Load,
    record: Arc<Record>,
    expected: Expected,
    grace: Duration,
    before: Footprint,
}

impl<'w> Trial<'w> {
    /// Starts the load and waits until it is steady.
    pub(crate) async fn begin(fixture: &'w Fixture, mix: Mix, expected: Expected) -> Self {
        let record = expected.record(GRACE);
        Self::under(fixture, mix, expected, record, GRACE).await
    }

    /// The same for an existing fault, with a different time of grace.
    pub(crate) async fn begin_amid(
        fixture: &'w Fixture,
        mix: Mix,
        expected: Expected,
        grace: Duration,
    ) -> Self {
        let record = expected.record(grace);
        record.begins();
        Self::under(fixture, mix, expected, record, grace).await
    }

    async fn under(
        fixture: &'w Fixture,
        mix: Mix,
        expected: Expected,
        record: Record,
        grace: Duration,
    ) -> Self {
        let record = Arc::new(record);
        let users = &fixture.backing.users;
        let load = Load::start(fixture.server.address, users, mix, &record);
        sleep(WARM_UP).await;
        let before = fixture.footprint().await;
        sleep(BEFORE).await;
        Self {
            fixture,
            load,
            record,
            expected,
            grace,
            before,
        }
    }

    /// Called before the fault starts.
    pub(crate) fn strikes(&self) {
        self.record.begins();
    }

    /// Called when the fault has ended.
    pub(crate) fn ends(&self) {
        self.record.ends();
    }

    /// Waits for the recovery, measures leftovers, and stops the load.
    pub(crate) async fn conclude(self) -> Check {
        sleep(self.grace + STEADY).await;
        let after = self.settled().await;
        let mut violations = self.burst().await;
        self.load.stop().await;
        violations.extend(self.record.violations());
        violations.extend(excess(self.before, after));
        violations.extend(indiscretion(&self.fixture.server.log()));
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
            violations.push("no request failed, so the fault had no effect".to_owned());
        }
        if !violations.is_empty() {
            eprintln!("{}", self.fixture.server.last_words());
        }
        Check {
            cells: cells(&self.record, self.before, after),
            violations,
        }
    }

    /// The resources of the server once they are returned.
    async fn settled(&self) -> Footprint {
        let patience = Instant::now() + SETTLING;
        loop {
            let now = self.fixture.footprint().await;
            if excess(self.before, now).is_empty() || Instant::now() > patience {
                return now;
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Many concurrent requests, which would reveal a lost slot.
    async fn burst(&self) -> Vec<String> {
        let mut askers = JoinSet::new();
        for number in 0..BURST {
            let (users, address) = (
                Arc::clone(&self.fixture.backing.users),
                self.fixture.server.address,
            );
            askers.spawn(async move {
                let kind = Kind::Token;
                let asked = &users.requests(kind)[number];
                let mut connection = Connection::open(address).await?;
                let reply = connection.ask(&asked.bytes).await?;
                match kind.judge(&asked.echo, reply.status, reply.body) {
                    Verdict::Right => Ok(()),
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

/// Valid, invalid, other; slowest; recovery; leftovers.
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

/// The growth of the server's resources.
fn excess(before: Footprint, now: Footprint) -> Vec<String> {
    let mut excess = Vec::new();
    // The pool keeps its connections.
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

/// A secret in the log.
fn indiscretion(log: &str) -> Option<String> {
    let secrets = [
        SECRET,
        "throw-away",
        "@example.com",
        "eyJ",
        "usrx000",
        "fault.internal",
        "198.18.",
    ];
    let told = secrets.into_iter().find(|secret| log.contains(secret))?;
    Some(format!("the log says {told:?}"))
}
