//! The store behind a test's layer: it counts, and it fails when it is told to.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreFault;
use crate::store::MemoryStore;
use crate::store::{Lookup, LookupKind, Resolution, StoreError, StoreErrorKind, UserStore};

/// A [`MemoryStore`] with something in front of it.
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
            // Unlike `panic!`, without a message on standard error: this one is on purpose.
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
