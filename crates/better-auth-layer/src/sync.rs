//! Where threads meet: what of the standard library, Tokio and arc-swap the single flight, the batcher and the key cache
//! stand on.
//!
//! In one place, because `models/` compiles those files with another `crate::sync`, which tries the orders in which
//! threads may go on.

pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};

pub(crate) use arc_swap::ArcSwapOption;
pub(crate) use tokio::runtime::Handle;
pub(crate) use tokio::sync::{Semaphore, oneshot, watch};
pub(crate) use tokio::time::{Instant, timeout};
