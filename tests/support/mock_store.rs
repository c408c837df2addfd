//! A user store that a test scripts: it counts lookups, holds results back, fails, hangs and panics.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::prelude::*;

/// How a [`MockStore`] handles its lookups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It reads from memory.
    #[default]
    Work,
    /// It fails with a timeout.
    Fail,
    /// It fails because the backend is unavailable.
    Unavailable,
    /// It never completes.
    Hang,
    /// It never completes, and panics when it is dropped.
    PanicOnDrop,
    /// It panics.
    Panic,
    /// It yields once and panics.
    PanicLater,
    /// `try_resolve` panics.
    PanicInTryResolve,
    /// It yields zero to six times after the read, so that results come back in another order.
    Shuffle,
}

/// A store in memory that a test scripts. Clones share their state.
#[derive(Clone)]
pub struct MockStore {
    /// The rows.
    pub memory: Arc<MemoryStore>,
    state: Arc<State>,
}

struct State {
    mode: Mutex<Mode>,
    started: AtomicUsize,
    is_open: AtomicBool,
    permits: Semaphore,
    kinds: Vec<LookupKind>,
    hit: Option<Resolution>,
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the store panics");
    }
}

impl MockStore {
    /// A store with the rows of [`fixtures`].
    pub fn new() -> Self {
        Self::of(fixtures::memory())
    }

    /// A store with these rows.
    pub fn of(memory: impl Into<Arc<MemoryStore>>) -> Self {
        let all =
            [LookupKind::Email, LookupKind::UserId, LookupKind::SessionToken, LookupKind::ApiKey];
        Self::build(memory.into(), all.to_vec(), None)
    }

    /// A store that supports one kind of lookup.
    pub fn only(kind: LookupKind) -> Self {
        Self::build(Arc::default(), vec![kind], None)
    }

    /// A store whose `try_resolve` always returns this result, and whose `resolve` fails.
    pub fn hit(resolution: Resolution) -> Self {
        let store = Self::new();
        let store = Self::build(store.memory, store.state.kinds.clone(), Some(resolution));
        store.set(Mode::Fail);
        store
    }

    fn build(memory: Arc<MemoryStore>, kinds: Vec<LookupKind>, hit: Option<Resolution>) -> Self {
        let state = State {
            mode: Mutex::default(),
            started: AtomicUsize::new(0),
            is_open: AtomicBool::new(true),
            permits: Semaphore::new(0),
            kinds,
            hit,
        };
        Self { memory, state: Arc::new(state) }
    }

    /// Sets how lookups end from now on.
    pub fn set(&self, mode: Mode) {
        *self.state.mode.lock().unwrap() = mode;
    }

    fn mode(&self) -> Mode {
        *self.state.mode.lock().unwrap()
    }

    /// Holds back the results of lookups that start from now on.
    pub fn close(&self) {
        self.state.is_open.store(false, Ordering::SeqCst);
    }

    /// Releases one result, now or when a lookup waits for it.
    pub fn release_one(&self) {
        self.state.permits.add_permits(1);
    }

    /// Releases all results.
    pub fn open(&self) {
        self.state.is_open.store(true, Ordering::SeqCst);
        self.state.permits.add_permits(1_000_000);
    }

    /// The number of lookups that have started.
    pub fn lookups(&self) -> usize {
        self.state.started.load(Ordering::SeqCst)
    }

    /// Waits until this number of lookups has started and no task can make progress.
    #[track_caller]
    pub fn wait_for(&self, lookups: usize) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..2000 {
                if self.lookups() >= lookups {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            settle().await;
            assert_eq!(self.lookups(), lookups, "lookups at {caller}");
        }
    }
}

impl Default for MockStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets the other tasks of a single-threaded runtime run until they wait.
pub async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

impl UserStore for MockStore {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        assert!(self.supports(lookup.key().kind()), "{lookup:?} is not supported");
        let resolution = self.memory.resolve(lookup).await;
        let is_open = self.state.is_open.load(Ordering::SeqCst);
        let number = self.state.started.fetch_add(1, Ordering::SeqCst);
        if !is_open {
            self.state.permits.acquire().await.unwrap().forget();
        }
        match self.mode() {
            Mode::Work | Mode::PanicInTryResolve => {}
            Mode::Fail => return Err(StoreError::timeout()),
            Mode::Unavailable => return Err(unavailable()),
            Mode::Hang => std::future::pending().await,
            Mode::PanicOnDrop => {
                let _bomb = Bomb;
                std::future::pending().await
            }
            Mode::Panic => panic!("the store panics"),
            Mode::PanicLater => {
                tokio::task::yield_now().await;
                panic!("the store panics")
            }
            Mode::Shuffle => {
                for _ in 0..number % 7 {
                    tokio::task::yield_now().await;
                }
            }
        }
        resolution
    }

    fn try_resolve(&self, _: &Lookup<'_>) -> Option<Resolution> {
        assert!(self.mode() != Mode::PanicInTryResolve, "the store panics");
        self.state.hit.clone()
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.state.kinds.contains(&kind)
    }
}

/// The error of a backend that cannot be reached.
pub fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "connection refused")
}
