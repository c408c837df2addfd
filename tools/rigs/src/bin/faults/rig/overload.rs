//! Overload with additional valid requests and a measurement of memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::fixtures::Fixture;
use super::footprint::{Process, mebibytes};
use super::kind::Kind;
use super::load::{GOOD, Load};
use super::record::Record;
use crate::check::Check;

const WARM_UP: Duration = Duration::from_secs(2);

/// The time in which memory and files are returned. Idle connections are closed after ten seconds.
const SETTLING: Duration = Duration::from_secs(15);

const MOST_CONNECTIONS: usize = 16;
const FILES_SLACK: usize = 16;
const MEBIBYTE: u64 = 1024 * 1024;

/// The memory that may stay allocated.
const KEPT: u64 = 16 * MEBIBYTE;

/// A load with measurements.
#[derive(Debug)]
pub(crate) struct Overload<'w> {
    fixture: &'w Fixture,
    good: Load,
    record: Arc<Record>,
    files: usize,
    memory: u64,
    /// Resident memory that is no leak.
    known: u64,
    observer: JoinHandle<()>,
    most_connections: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

/// Loads with many connections are repeated: the allocator keeps memory for later connections, so a
/// leak shows only after several runs.
#[derive(Debug)]
pub(crate) struct EarlierWaves {
    process: Process,
    memory: Vec<u64>,
}

impl EarlierWaves {
    /// Before the first run.
    pub(crate) fn begin(fixture: &Fixture) -> Self {
        let process = fixture.server.process;
        Self {
            process,
            memory: vec![process.memory()],
        }
    }

    /// After each run.
    pub(crate) fn is_over(&mut self) {
        self.memory.push(self.process.memory());
    }

    /// Adds valid requests for the last run, which may not leave more memory than the others.
    pub(crate) async fn last<'w>(
        &self,
        fixture: &'w Fixture,
        may_fail: fn(Kind) -> bool,
    ) -> Overload<'w> {
        let mut overload = Overload::begin(fixture, may_fail).await;
        let largest = self.memory.iter().copied().max();
        overload.known = overload.known.max(largest.unwrap_or_default());
        overload
    }

    /// The resident memory before the runs and after each.
    pub(crate) fn text(&self) -> String {
        let all = self.memory.iter().map(|memory| mebibytes(*memory));
        format!(
            "MiB over earlier waves: {}",
            all.collect::<Vec<_>>().join(" → ")
        )
    }
}

impl<'w> Overload<'w> {
    /// Starts valid requests and measures the server. `may_fail`: the kinds that may get a `503`.
    pub(crate) async fn begin(fixture: &'w Fixture, may_fail: fn(Kind) -> bool) -> Self {
        let record = Arc::new(Record::new(may_fail, Duration::from_secs(2)));
        let good = Load::start(
            fixture.server.address,
            &fixture.backing.users,
            GOOD,
            &record,
        );
        sleep(WARM_UP).await;
        let footprint = fixture.footprint().await;
        fixture.server.process.forget_peak();
        record.begins();
        let most_connections = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let client = fixture.backing.database.client().await;
        let (most, until) = (Arc::clone(&most_connections), Arc::clone(&over));
        let observer = tokio::spawn(async move {
            let query = "SELECT count(*) FROM pg_stat_activity \
                         WHERE application_name = 'better-auth-layer'";
            while !until.load(Ordering::SeqCst) {
                let row = client
                    .query_one(query, &[])
                    .await
                    .expect("a superuser may look");
                let count = usize::try_from(row.get::<_, i64>(0)).unwrap_or_default();
                most.fetch_max(count, Ordering::SeqCst);
                sleep(Duration::from_millis(200)).await;
            }
        });
        Self {
            fixture,
            good,
            record,
            files: footprint.files,
            memory: footprint.memory,
            known: footprint.memory,
            observer,
            most_connections,
            over,
        }
    }

    /// Waits until everything is returned. `answers`: the responses to the load. `peak`: the limit
    /// of memory growth in MiB.
    pub(crate) async fn conclude(
        self,
        answers: String,
        took: Duration,
        peak: u64,
        mut violations: Vec<String>,
    ) -> Check {
        let process = self.fixture.server.process;
        let most = process.peak();
        self.record.ends();
        let patience = Instant::now() + SETTLING;
        let after = loop {
            let now = self.fixture.footprint().await;
            let is_settled =
                now.memory <= self.known + KEPT && now.files <= self.files + FILES_SLACK;
            if is_settled || Instant::now() > patience {
                break now;
            }
            sleep(Duration::from_millis(250)).await;
        };
        self.over.store(true, Ordering::SeqCst);
        self.observer.await.expect("it only looks");
        self.good.stop().await;
        violations.extend(self.record.violations());
        let connections = self.most_connections.load(Ordering::SeqCst);
        let text = |bytes| mebibytes(bytes);
        if connections > MOST_CONNECTIONS {
            violations.push(format!("{connections} connections to the database"));
        }
        if after.files > self.files + FILES_SLACK {
            violations.push(format!("open files: {} → {}", self.files, after.files));
        }
        if after.memory > self.known + KEPT {
            let (before, after) = (text(self.known), text(after.memory));
            violations.push(format!("{before} MiB before, {after} after"));
        }
        if most > self.memory + peak * MEBIBYTE {
            let (before, most) = (text(self.memory), text(most));
            violations.push(format!("{before} MiB before, {most} at the peak"));
        }
        if self.record.counts(Kind::is_good).is_empty() {
            violations.push("no valid request was answered".to_owned());
        }
        if !violations.is_empty() {
            eprintln!("{}", self.fixture.server.last_words());
        }
        Check {
            cells: vec![
                answers,
                format!("{:.1} s", took.as_secs_f64()),
                self.record.counts(Kind::is_good),
                format!("{:.2} s", self.record.slowest_good().as_secs_f64()),
                [text(self.memory), text(most), text(after.memory)].join(" → "),
                connections.to_string(),
            ],
            violations,
        }
    }
}
