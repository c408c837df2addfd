//! Lookups, asked over lanes.

use std::sync::Arc;

use tokio::time::Instant;

use super::access::Access;
use super::batcher::Ask;
use super::connections::{Connection, Terms};
use super::failure::Failure;
use super::known_tables::{KnownTables, Times};
use super::lane::Lane;
use super::last_refusal::LastRefusal;
use super::tables::Tables;
use super::together::{Answer, resolve_all, sort};
use crate::store::{Lookup, LookupKind, StoreError, StoreErrorKind};

/// A lookup that waits for its answer until a deadline.
pub(super) struct Asked {
    pub(super) lookup: Lookup<'static>,
    pub(super) until: Instant,
}

/// Whom lookups are asked of.
pub(super) struct Lookups {
    pub(super) access: Arc<Access>,
    pub(super) tables: KnownTables,
    pub(super) lanes: Vec<Lane>,
    pub(super) last_refusal: LastRefusal,
}

impl Ask for Lookups {
    type Question = Asked;
    type Answer = Answer;
    type Sort = (LookupKind, bool);

    fn sort(asked: &Asked) -> Self::Sort {
        sort(&asked.lookup)
    }

    async fn ask(&self, lane: usize, asked: &[Asked]) -> Vec<Answer> {
        let lookups: Vec<&Lookup<'_>> = asked.iter().map(|asked| &asked.lookup).collect();
        let mut answers: Vec<Option<Answer>> = lookups.iter().map(|_| None).collect();
        // Each caller keeps to the own deadline; the last one's is the batch's.
        let until = asked.iter().map(|asked| asked.until).max();
        let until = until.unwrap_or_else(Instant::now);
        let attempt = self.attempt(lane, &lookups, until, &mut answers);
        let outcome = tokio::time::timeout_at(until, attempt).await;
        let failure = match outcome {
            Ok(Ok(())) => StoreErrorKind::Unavailable.into(),
            Ok(Err(failure)) => failure,
            Err(_) => self.last_refusal.timeout(),
        };
        let failed = |answer: Option<Answer>| answer.unwrap_or_else(|| Err(failure.share()));
        answers.into_iter().map(failed).collect()
    }
}

impl Lookups {
    /// Asks; once more on a new connection where the first one broke, and once more with freshly found tables where
    /// they are not what they were.
    async fn attempt(
        &self,
        lane: usize,
        lookups: &[&Lookup<'_>],
        until: Instant,
        answers: &mut [Option<Answer>],
    ) -> Result<(), StoreError> {
        let lane = self.lanes.get(lane).ok_or(StoreErrorKind::Unavailable)?;
        let nows = lookups.iter().map(|lookup| lookup.now());
        let times = nows.clone().min().zip(nows.max());
        let times = times.map(|(earliest, latest)| Times { earliest, latest });
        let mut retries = Retries::default();
        loop {
            let terms = self.terms(until, &retries);
            let connection = lane.acquire(terms, &self.last_refusal).await?;
            let mut used = None;
            let answered = async {
                let outdated = retries.outdated.as_ref();
                match self.tables.get(&connection, times, outdated).await? {
                    Ok(tables) => {
                        let tables = used.insert(tables);
                        resolve_all(&connection, tables, lookups, answers).await?;
                        Ok(Ok(()))
                    }
                    Err(error) => Ok(Err(error)),
                }
            };
            match answered.await {
                Ok(outcome) => return outcome,
                Err(failure) => retries.after(failure, connection, used)?,
            }
        }
    }

    /// Whether the tables are there and may be read. Whoever probes wants to know how it is now, and asks again; so
    /// nothing is waited for.
    pub(super) async fn check(&self, until: Instant) -> Result<(), StoreError> {
        let mut retries = Retries::default();
        loop {
            let terms = self.terms(until, &retries);
            let connection = Connection::acquire_at_once(terms).await?;
            let mut used = None;
            let checked = async {
                let outdated = retries.outdated.as_ref();
                match self.tables.get(&connection, None, outdated).await? {
                    Ok(tables) => {
                        let tables = used.insert(tables);
                        connection.query(&tables.statements.check, &[]).await?;
                        Ok(Ok(()))
                    }
                    Err(error) => Ok(Err(error)),
                }
            };
            match checked.await {
                Ok(outcome) => return outcome,
                Err(failure) => retries.after(failure, connection, used)?,
            }
        }
    }

    fn terms(&self, until: Instant, retries: &Retries) -> Terms<'_> {
        Terms {
            access: &self.access,
            until,
            broken: retries.broken,
        }
    }
}

/// What has been tried, and is tried once more at most.
#[derive(Default)]
struct Retries {
    broken: Option<std::time::Instant>,
    outdated: Option<Arc<Tables>>,
}

impl Retries {
    /// Whether it is worth another attempt. `used`: the tables that were believed in.
    fn after(
        &mut self,
        failure: Failure,
        connection: Connection,
        used: Option<Arc<Tables>>,
    ) -> Result<(), StoreError> {
        if matches!(failure, Failure::Dead(_)) {
            connection.discard();
        }
        match failure {
            Failure::Dead(_) if self.broken.is_none() => {
                self.broken = Some(std::time::Instant::now());
            }
            Failure::SchemaChanged(_) if self.outdated.is_none() && used.is_some() => {
                self.outdated = used;
            }
            failure => return Err(failure.into()),
        }
        Ok(())
    }
}
