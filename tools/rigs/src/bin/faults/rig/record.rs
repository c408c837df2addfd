//! The responses with their kinds and times.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::kind::{Kind, Verdict};

/// The query timeout and a tolerance for a loaded machine.
const LONGEST_ANSWER: Duration = Duration::from_millis(6500);

/// The number of violations that are listed.
const TOLD: usize = 5;

/// All responses to a load.
#[derive(Debug)]
pub(crate) struct Record {
    /// The kinds that may get a `503` during the fault.
    may_fail: fn(Kind) -> bool,
    /// The time after the fault during which a `503` is allowed.
    grace: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    begin: Option<Instant>,
    end: Option<Instant>,
    /// The responses between start and end, and for some time after.
    counts: BTreeMap<(Kind, u16), u64>,
    all: u64,
    refused: u64,
    slowest_good: Duration,
    recovery: Duration,
    wrong: u64,
    told: Vec<String>,
}

/// A response with the times of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) kind: Kind,
    pub(crate) sent: Instant,
    pub(crate) answered: Instant,
    pub(crate) status: u16,
    pub(crate) body: &'a str,
    pub(crate) verdict: Verdict,
}

impl Record {
    /// For a load without a fault.
    pub(crate) fn strict() -> Self {
        Self::new(|_| false, Duration::ZERO)
    }

    /// For a load with a fault.
    pub(crate) fn new(may_fail: fn(Kind) -> bool, grace: Duration) -> Self {
        Self {
            may_fail,
            grace,
            inner: Mutex::default(),
        }
    }

    /// Marks the start of the fault.
    pub(crate) fn begins(&self) {
        self.inner().begin = Some(Instant::now());
    }

    /// Marks the end of the fault.
    pub(crate) fn ends(&self) {
        self.inner().end = Some(Instant::now());
    }

    /// Records a response.
    pub(crate) fn add(&self, answer: Answered<'_>) {
        let Answered {
            kind,
            sent,
            answered,
            status,
            ..
        } = answer;
        let mut inner = self.inner();
        let took = answered - sent;
        inner.all += 1;
        let is_hit = inner.begin.is_some_and(|begin| answered > begin)
            && inner.end.is_none_or(|end| sent < end + self.grace);
        if is_hit {
            *inner.counts.entry((kind, status)).or_default() += 1;
            if kind.is_good() {
                inner.slowest_good = inner.slowest_good.max(took);
            }
        }
        if took > LONGEST_ANSWER {
            inner.tell(format!("{kind:?} was answered {status} after {took:?}"));
        }
        match answer.verdict {
            Verdict::Right => {}
            Verdict::Unavailable if is_hit && (self.may_fail)(kind) => {
                inner.refused += 1;
                let late = inner.end.map(|end| sent.saturating_duration_since(end));
                inner.recovery = inner.recovery.max(late.unwrap_or_default());
            }
            Verdict::Unavailable | Verdict::Wrong => {
                let when = inner.moment(sent);
                inner.tell(format!(
                    "{kind:?} was answered {status} {when}: {}",
                    answer.body
                ));
            }
        }
    }

    /// Records a request without a response.
    pub(crate) fn add_broken(&self, kind: Kind, sent: Instant, error: &str) {
        let mut inner = self.inner();
        let when = inner.moment(sent);
        inner.tell(format!("for {kind:?}, sent {when}, the server {error}"));
    }

    /// The responses to these kinds during the fault: `200: 17, 503: 4`.
    pub(crate) fn counts(&self, chosen: impl Fn(Kind) -> bool) -> String {
        let mut counts = BTreeMap::<u16, u64>::new();
        for ((kind, status), count) in &self.inner().counts {
            if chosen(*kind) {
                *counts.entry(*status).or_default() += count;
            }
        }
        let counts = counts
            .iter()
            .map(|(status, count)| format!("{status}: {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// The number of all responses, and of expected `503` responses.
    pub(crate) fn answers(&self) -> (u64, u64) {
        let inner = self.inner();
        (inner.all, inner.refused)
    }

    /// The slowest response to a valid request during the fault.
    pub(crate) fn slowest_good(&self) -> Duration {
        self.inner().slowest_good
    }

    /// The time from the end of the fault to the last request with a `503`.
    pub(crate) fn recovery(&self) -> Duration {
        self.inner().recovery
    }

    /// The violated expectations.
    pub(crate) fn violations(&self) -> Vec<String> {
        let inner = self.inner();
        let mut told = inner.told.clone();
        if let Some(more @ 1..) = inner.wrong.checked_sub(told.len() as u64) {
            told.push(format!(
                "and {more} more answers that were not to be expected"
            ));
        }
        told
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn moment(&self, sent: Instant) -> String {
        match (self.begin, self.end) {
            (_, Some(end)) if sent > end => {
                format!("{:.2?} after the end of the fault", sent - end)
            }
            (Some(begin), _) if sent > begin => {
                format!("{:.2?} after the begin of the fault", sent - begin)
            }
            _ => "before the fault".to_owned(),
        }
    }

    fn tell(&mut self, text: String) {
        self.wrong += 1;
        if self.told.len() < TOLD {
            self.told.push(text);
        }
    }
}
