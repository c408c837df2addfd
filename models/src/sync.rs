//! Replaces `crate::sync` for the library's files.
//!
//! Tokio's primitives and arc-swap are the real ones, with a scheduling point before and after each
//! use. Locks are those of the scheduler. Time advances only when a model advances it.

use std::cell::Cell;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::Guard;
use shuttle::rand::Rng;
use shuttle::sync::atomic::{AtomicBool, Ordering};
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

pub(crate) use crate::runtime::Handle;

/// A scheduling point.
pub(crate) fn step() {
    AtomicBool::new(false).load(Ordering::SeqCst);
}

/// Returns `true` with a probability of `1 / n`.
pub(crate) fn one_in(n: u32) -> bool {
    shuttle::rand::thread_rng().gen_ratio(1, n)
}

/// A random number below `end`.
pub(crate) fn below(end: u32) -> u32 {
    shuttle::rand::thread_rng().gen_range(0..end)
}

/// Locks a mutex, and ignores poisoning.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct OnceLock<T>(std::sync::OnceLock<T>);

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        step();
        self.0.set(value)
    }

    pub(crate) fn get(&self) -> Option<&T> {
        step();
        self.0.get()
    }
}

pub(crate) struct Semaphore(tokio::sync::Semaphore);

pub(crate) struct SemaphorePermit<'s> {
    _permit: tokio::sync::SemaphorePermit<'s>,
}

impl Semaphore {
    pub(crate) fn new(permits: usize) -> Self {
        Self(tokio::sync::Semaphore::new(permits))
    }

    pub(crate) fn add_permits(&self, permits: usize) {
        step();
        self.0.add_permits(permits);
    }

    pub(crate) async fn acquire(&self) -> Result<SemaphorePermit<'_>, tokio::sync::AcquireError> {
        step();
        let permit = self.0.acquire().await?;
        let permit = SemaphorePermit { _permit: permit };
        step();
        Ok(permit)
    }

    pub(crate) fn close(&self) {
        step();
        self.0.close();
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        step();
    }
}

pub(crate) mod oneshot {
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use tokio::sync::oneshot;

    use super::step;

    pub(crate) struct Sender<T>(oneshot::Sender<T>);

    pub(crate) struct Receiver<T>(oneshot::Receiver<T>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Sender(sender), Receiver(receiver))
    }

    impl<T> Sender<T> {
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            step();
            self.0.send(value)
        }

        pub(crate) fn is_closed(&self) -> bool {
            step();
            self.0.is_closed()
        }

        pub(crate) async fn closed(&mut self) {
            step();
            self.0.closed().await;
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, oneshot::error::RecvError>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            step();
            let answer = ready!(Pin::new(&mut self.0).poll(cx));
            step();
            Poll::Ready(answer)
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            step();
        }
    }
}

pub(crate) mod watch {
    use tokio::sync::watch;

    use super::step;

    pub(crate) struct Sender<T>(watch::Sender<T>);

    #[derive(Clone)]
    pub(crate) struct Receiver<T>(watch::Receiver<T>);

    pub(crate) fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = watch::channel(value);
        (Sender(sender), Receiver(receiver))
    }

    impl<T> Receiver<T> {
        pub(crate) async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
            step();
            let changed = self.0.changed().await;
            step();
            changed
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            step();
        }
    }
}

pub(crate) struct ArcSwapOption<T>(arc_swap::ArcSwapOption<T>);

impl<T> ArcSwapOption<T> {
    pub(crate) fn new(value: Option<Arc<T>>) -> Self {
        Self(arc_swap::ArcSwapOption::new(value))
    }

    pub(crate) fn load(&self) -> Guard<Option<Arc<T>>> {
        step();
        let value = self.0.load();
        step();
        value
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        step();
        self.0.store(value);
    }
}

std::thread_local! {
    // All tasks of a model run on one thread.
    static TIME: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The time since the start of the model.
pub(crate) fn time() -> Duration {
    step();
    TIME.get()
}

/// Advances the time.
pub(crate) fn advance(by: Duration) {
    step();
    TIME.set(TIME.get() + by);
}

/// Resets the time at the start of a model.
pub(crate) fn reset_time() {
    TIME.set(Duration::ZERO);
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(time())
    }

    pub(crate) fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

pub(crate) struct Elapsed;

/// Elapses at random, or never. Code that needs it to elapse fails in the model.
pub(crate) async fn timeout<F: Future>(_: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = std::pin::pin!(future);
    let mut polls_left = one_in(4).then(|| below(3));
    std::future::poll_fn(move |cx| {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(cx) {
            return std::task::Poll::Ready(Ok(output));
        }
        match &mut polls_left {
            None => {}
            Some(0) => return std::task::Poll::Ready(Err(Elapsed)),
            Some(left) => {
                *left -= 1;
                cx.waker().wake_by_ref();
            }
        }
        std::task::Poll::Pending
    })
    .await
}
