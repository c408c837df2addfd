//! As many different requests as the server accepts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::client::Connection;
use super::kind::{Kind, Verdict};

/// Builds a request from its number.
pub(crate) type Make = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// The kind and amount of load.
#[derive(Clone)]
pub(crate) struct Flood {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) make: Make,
    /// Whether a status and a body are expected.
    pub(crate) is_due: fn(u16, &str) -> bool,
}

/// The counts of responses.
#[derive(Debug, Default)]
pub(crate) struct Flooded {
    pub(crate) counts: BTreeMap<u16, u64>,
    pub(crate) slowest: Duration,
    pub(crate) took: Duration,
    pub(crate) violations: Vec<String>,
}

/// Whether this is the rejection of an invalid credential.
pub(crate) fn unauthorized(status: u16, body: &str) -> bool {
    Kind::Bad.judge("", status, body) == Verdict::Right
}

impl Flood {
    /// Sends the requests with these numbers.
    pub(crate) async fn run(&self, numbers: std::ops::Range<u64>) -> Flooded {
        let begin = Instant::now();
        let next = Arc::new(AtomicU64::new(numbers.start));
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            let (flood, next) = (self.clone(), Arc::clone(&next));
            connections.spawn(flood.connection(next, numbers.end));
        }
        let mut all = Flooded::default();
        for one in connections.join_all().await {
            all.add(one);
        }
        all.took = begin.elapsed();
        all
    }

    async fn connection(self, next: Arc<AtomicU64>, end: u64) -> Flooded {
        let mut flooded = Flooded::default();
        let mut connection = None;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return flooded;
            }
            let request = (self.make)(number);
            let begin = Instant::now();
            let outcome = async {
                let connection = match &mut connection {
                    Some(connection) => connection,
                    none => none.insert(Connection::open(self.address).await?),
                };
                let reply = connection.ask(&request).await?;
                let is_due = (self.is_due)(reply.status, reply.body);
                let wrong = (!is_due).then(|| format!("{}: {}", reply.status, reply.body));
                Ok::<_, String>((reply.status, wrong))
            };
            match outcome.await {
                Ok((status, wrong)) => {
                    *flooded.counts.entry(status).or_default() += 1;
                    flooded.slowest = flooded.slowest.max(begin.elapsed());
                    flooded.violations.extend(wrong);
                    // After a head that is too large, the server closes the connection.
                    if status == 431 {
                        connection = None;
                    }
                }
                Err(error) => {
                    flooded.violations.push(format!("the server {error}"));
                    connection = None;
                }
            }
            flooded.violations.truncate(3);
        }
    }
}

impl Flooded {
    fn add(&mut self, other: Self) {
        for (status, count) in other.counts {
            *self.counts.entry(status).or_default() += count;
        }
        self.slowest = self.slowest.max(other.slowest);
        self.violations.extend(other.violations);
        self.violations.truncate(3);
    }

    /// `401: 1000000`
    pub(crate) fn counts(&self) -> String {
        let counts = self.counts.iter();
        let counts = counts.map(|(status, count)| format!("{status}: {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }
}
