//! A load that is too much, with good requests beside it and an eye on memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::fixtures::World;
use super::footprint::{Process, mebibytes};
use super::kind::Kind;
use super::load::{GOOD, Load};
use super::record::Record;
use crate::finding::Check;

const WARM_UP: Duration = Duration::from_secs(2);

/// How long memory and files have for coming back; what sends nothing is cut off after ten seconds.
const SETTLING: Duration = Duration::from_secs(15);

const MOST_CONNECTIONS: usize = 16;
const FILES_SLACK: usize = 16;
const MEBIBYTE: u64 = 1024 * 1024;

/// What stays allocated when all is over, at most.
const KEPT: u64 = 16 * MEBIBYTE;

/// A load under observation.
#[derive(Debug)]
pub(crate) struct Strain<'w> {
    world: &'w World,
    good: Load,
    record: Arc<Record>,
    files: usize,
    memory: u64,
    /// As much as was resident without anything being lost.
    known: u64,
    observer: JoinHandle<()>,
    most_connections: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

/// Loads that come by connection come several times: the allocator keeps for the next connections what the last ones took,
/// so that only after some times what is kept is told from what is lost.
#[derive(Debug)]
pub(crate) struct EarlierWaves {
    process: Process,
    memory: Vec<u64>,
}

impl EarlierWaves {
    /// Before the first one.
    pub(crate) fn begin(world: &World) -> Self {
        let process = world.server.process;
        Self {
            process,
            memory: vec![process.memory()],
        }
    }

    /// After one of them.
    pub(crate) fn is_over(&mut self) {
        self.memory.push(self.process.memory());
    }

    /// Puts good requests on the server for the last one, which may leave no more than the largest of these did.
    pub(crate) async fn last<'w>(
        &self,
        world: &'w World,
        may_fail: fn(Kind) -> bool,
    ) -> Strain<'w> {
        let mut strain = Strain::begin(world, may_fail).await;
        let largest = self.memory.iter().copied().max();
        strain.known = strain.known.max(largest.unwrap_or_default());
        strain
    }

    /// What was resident before them and after each, in words.
    pub(crate) fn text(&self) -> String {
        let all = self.memory.iter().map(|memory| mebibytes(*memory));
        format!(
            "MiB over earlier waves: {}",
            all.collect::<Vec<_>>().join(" → ")
        )
    }
}

impl<'w> Strain<'w> {
    /// Puts good requests on a server, and takes down what it holds. `may_fail`: whom of them a `503` may meet.
    pub(crate) async fn begin(world: &'w World, may_fail: fn(Kind) -> bool) -> Self {
        let record = Arc::new(Record::new(may_fail, Duration::from_secs(2)));
        let good = Load::start(world.server.address, &world.backing.people, GOOD, &record);
        sleep(WARM_UP).await;
        let footprint = world.footprint().await;
        world.server.process.forget_peak();
        record.begins();
        let most_connections = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let client = world.backing.database.client().await;
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
            world,
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

    /// Waits until all is given back. `answers`: what the load was answered; `peak`: how many MiB it may take meanwhile.
    pub(crate) async fn conclude(
        self,
        answers: String,
        took: Duration,
        peak: u64,
        mut violations: Vec<String>,
    ) -> Check {
        let process = self.world.server.process;
        let most = process.peak();
        self.record.ends();
        let patience = Instant::now() + SETTLING;
        let after = loop {
            let now = self.world.footprint().await;
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
            violations.push("no good request was answered meanwhile".to_owned());
        }
        if !violations.is_empty() {
            eprintln!("{}", self.world.server.last_words());
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
