//! A store whose answers a test holds back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use better_auth_layer::store::{LookupKind, MemoryStore};
use better_auth_layer::{Lookup, Resolution, StoreError, UserStore};
use tokio::sync::Semaphore;

use crate::world;

/// What happens to the lookups of a [`Valve`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are answered.
    Answer,
    /// They fail.
    Fail,
    /// They panic once they are let through.
    Panic,
}

/// A store in memory that reads at once, as a database does, and answers when the test lets it.
#[derive(Debug)]
pub struct Valve {
    /// What it reads.
    pub memory: MemoryStore,
    open: AtomicBool,
    passes: Semaphore,
    begun: AtomicUsize,
    fails: AtomicBool,
    panics: AtomicBool,
}

impl Valve {
    /// Open, with the users and sessions of the contract tests.
    pub fn new() -> Arc<Self> {
        Self::of(world::memory())
    }

    /// Open, with what is in a store.
    pub fn of(memory: MemoryStore) -> Arc<Self> {
        Arc::new(Self {
            memory,
            open: AtomicBool::new(true),
            passes: Semaphore::new(0),
            begun: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        })
    }

    /// Holds back the answers to lookups that begin from now on.
    pub fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    /// Lets one answer that is or will be held back go.
    pub fn release_one(&self) {
        self.passes.add_permits(1);
    }

    /// Holds nothing back any more.
    pub fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.passes.add_permits(1_000_000);
    }

    /// Sets what becomes of lookups when they are let through.
    pub fn set(&self, mode: Mode) {
        self.fails.store(mode == Mode::Fail, Ordering::SeqCst);
        self.panics.store(mode == Mode::Panic, Ordering::SeqCst);
    }

    /// How many lookups have begun.
    pub fn lookups(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Waits until so many lookups have begun and everybody has gone as far as they can.
    #[track_caller]
    pub fn have_begun(&self, lookups: usize) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..2000 {
                if self.lookups() >= lookups {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            settle().await;
            assert_eq!(self.lookups(), lookups, "lookups begun, at {caller}");
        }
    }
}

/// Lets the other tasks of a runtime of one thread go as far as they can.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

impl UserStore for Valve {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let answer = self.memory.resolve(lookup).await;
        let open = self.open.load(Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        if !open {
            self.passes.acquire().await.unwrap().forget();
        }
        assert!(
            !self.panics.load(Ordering::SeqCst),
            "the store's code is wrong"
        );
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::timeout());
        }
        answer
    }

    fn supports(&self, _: LookupKind) -> bool {
        true
    }
}
