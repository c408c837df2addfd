//! The store of the deployment, with counts and faults.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::{
    Lookup, LookupKind, MemoryStore, Resolution, StoreError, StoreErrorKind, UserStore,
};

/// A [`MemoryStore`] with counts and faults.
#[derive(Debug, Default)]
pub(super) struct TestStore {
    memory: Arc<MemoryStore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    fault: Option<StoreFault>,
    lookups: HashMap<LookupKind, usize>,
}

impl TestStore {
    /// The rows.
    pub(super) fn memory(&self) -> &Arc<MemoryStore> {
        &self.memory
    }

    pub(super) fn set_fault(&self, fault: Option<StoreFault>) {
        self.state().fault = fault;
    }

    pub(super) fn lookups(&self, kind: LookupKind) -> usize {
        self.state().lookups.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn total_lookups(&self) -> usize {
        self.state().lookups.values().sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn suffer(&self) -> Result<(), StoreError> {
        let fault = self.state().fault;
        match fault {
            None => Ok(()),
            Some(StoreFault::Unavailable) => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "the test has broken the store",
            )),
            Some(StoreFault::Hangs) => std::future::pending().await,
            // Unlike `panic!`, this prints no message.
            Some(StoreFault::Panics) => resume_unwind(Box::new("the test has broken the store")),
        }
    }
}

impl UserStore for TestStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let kind = lookup.key().kind();
        *self.state().lookups.entry(kind).or_default() += 1;
        self.suffer().await?;
        self.memory.resolve(lookup).await
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.memory.supports(kind)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.suffer().await?;
        self.memory.ready().await
    }
}

/// A fault of the user store, see
/// [`TestDeployment::break_store`](super::TestDeployment::break_store).
///
/// Requests get `503` in all cases, never a rejection that looks like a sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFault {
    /// Every lookup fails, as with a database that is down.
    Unavailable,
    /// Lookups never complete. The layer's
    /// [`lookup_timeout`](crate::BetterAuthLayerBuilder::lookup_timeout) ends the wait, by default
    /// after ten seconds. With tokio's paused time (`#[tokio::test(start_paused = true)]`) the test
    /// does not wait.
    Hangs,
    /// Lookups panic, without a message in the test's output.
    Panics,
}

/// A fault of the key set, see [`TestDeployment::break_keys`](super::TestDeployment::break_keys).
///
/// A layer with cached keys uses them for [`max_stale`](crate::jwks::JwksOptions::max_stale). A
/// layer without keys responds with `503` to JWTs of the JWT plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysFault {
    /// Fetches fail.
    Unavailable,
    /// Fetches take this time of tokio's timer. More than
    /// [`fetch_timeout`](crate::jwks::JwksOptions::fetch_timeout), five seconds, is an error.
    Slow(Duration),
    /// The response is the error page of a proxy.
    Garbage,
    /// The response is a set without keys.
    Empty,
}
