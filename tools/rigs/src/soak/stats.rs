//! The counts of requests and responses.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::history::{Credential, Reply, Verdict};
use super::validity::Span;

/// The number of mistakes that are listed.
const TOLD: usize = 20;

/// The counts of one client, or of all clients of a kind.
#[derive(Debug, Default)]
pub struct Stats {
    /// By kind of credential and outcome.
    answers: BTreeMap<(&'static str, &'static str), u64>,
    mistakes: u64,
    told: Vec<String>,
    /// The longest time between the end of a session and an accepted request.
    latest: Duration,
}

impl Stats {
    pub(super) fn count(
        &mut self,
        credential: &Credential,
        reply: &Reply,
        span: Span,
        verdict: Verdict,
    ) {
        let outcome = match reply {
            Reply::Identity(..) => "200",
            Reply::Refused(kind) => kind.as_str(),
        };
        *self.answers.entry((credential.kind, outcome)).or_default() += 1;
        match verdict {
            Ok(late) => self.latest = self.latest.max(Duration::from_nanos(late.unwrap_or(0))),
            Err(mistake) => {
                self.mistakes += 1;
                if self.told.len() < TOLD {
                    let text = format!("{mistake}: {span:?} {reply:?} {credential:?}");
                    self.told.push(text);
                }
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (what, count) in other.answers {
            *self.answers.entry(what).or_default() += count;
        }
        self.mistakes += other.mistakes;
        self.told.extend(other.told);
        self.told.truncate(TOLD);
        self.latest = self.latest.max(other.latest);
    }

    /// The number of responses.
    pub fn requests(&self) -> u64 {
        self.answers.values().sum()
    }

    /// The number of wrong responses.
    pub fn mistakes(&self) -> u64 {
        self.mistakes
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for ((kind, outcome), count) in &self.answers {
            let shown = if *kind == last { "" } else { kind };
            last = kind;
            writeln!(f, "  {shown:22} {outcome:20} {count:>10}")?;
        }
        writeln!(f, "  all {:>50}", self.requests())?;
        writeln!(
            f,
            "  accepted at most {:.1} ms after the end of a session",
            self.latest.as_secs_f64() * 1e3
        )?;
        writeln!(f, "  mistakes {:>45}", self.mistakes)?;
        for mistake in &self.told {
            writeln!(f, "  {mistake}")?;
        }
        Ok(())
    }
}
