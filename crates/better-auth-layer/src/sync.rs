//! Synchronization primitives of the single flight, the batcher and the key cache.
//!
//! Those files import them from here because `models/` compiles the same files with another
//! `crate::sync`, whose primitives let a scheduler explore thread interleavings.

use std::sync::PoisonError;
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};

pub(crate) use arc_swap::ArcSwapOption;
pub(crate) use tokio::runtime::Handle;
pub(crate) use tokio::sync::{Semaphore, oneshot, watch};
pub(crate) use tokio::time::{Instant, timeout};

/// Locks a mutex, and ignores poisoning: no critical section leaves its data inconsistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
