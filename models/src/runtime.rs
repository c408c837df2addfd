//! Tasks that can end before they are through: dropped, with their runtime, or by a panic.
//!
//! A panic in a future is, for what it holds, a drop in the middle of a poll; so that is what happens here. Real panics are
//! the ordinary tests' affair.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::sync::step;

shuttle::thread_local! {
    /// Of each task.
    static CURRENT: RefCell<Option<Handle>> = RefCell::new(None);
    static PANICKED: Cell<bool> = Cell::new(false);
}

#[derive(Clone, Default)]
pub(crate) struct Handle(Arc<Runtime>);

#[derive(Default)]
struct Runtime {
    has_ended: AtomicBool,
    tasks: Mutex<Vec<Waker>>,
}

#[derive(Debug)]
pub(crate) struct NoRuntime;

impl Handle {
    pub(crate) fn current() -> Self {
        Self::try_current().expect("a model's callers have a runtime")
    }

    pub(crate) fn try_current() -> Result<Self, NoRuntime> {
        CURRENT.with(|current| current.borrow().clone().ok_or(NoRuntime))
    }

    /// A task of a runtime that has ended is dropped at once.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        step();
        if !self.has_ended() {
            shuttle::future::spawn(Task::on(self, future));
        }
    }

    /// Drops all tasks that are not through yet.
    pub(crate) fn end(&self) {
        step();
        self.0.has_ended.store(true, Ordering::SeqCst);
        for task in self.tasks().drain(..) {
            task.wake();
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.has_ended.load(Ordering::SeqCst)
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the task that waits for it as a panic would.
pub(crate) async fn panic_here<T>() -> T {
    std::future::poll_fn(|_| {
        PANICKED.with(|panicked| panicked.set(true));
        Poll::Pending
    })
    .await
}

/// What became of a task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End<T> {
    Done(T),
    /// Dropped.
    Left,
    Panicked,
}

/// A future on a runtime.
pub(crate) struct Task<T> {
    runtime: Handle,
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    /// After how many times that it had to wait it is dropped.
    patience: Option<u32>,
}

impl<T> Task<T> {
    pub(crate) fn on(runtime: &Handle, future: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            runtime: runtime.clone(),
            future: Some(Box::pin(future)),
            patience: None,
        }
    }

    /// The same, dropped at some time after it had to wait so many times, once or more.
    pub(crate) fn for_at_most(mut self, waits: u32) -> Self {
        self.patience = Some(waits);
        self
    }

    fn end(&mut self, end: End<T>) -> Poll<End<T>> {
        step();
        self.future = None;
        Poll::Ready(end)
    }
}

impl<T> Future for Task<T> {
    type Output = End<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<T>> {
        CURRENT.with(|current| *current.borrow_mut() = Some(self.runtime.clone()));
        if self.runtime.has_ended() || self.patience == Some(0) {
            return self.end(End::Left);
        }
        let this = &mut *self;
        let future = this.future.as_mut().expect("polled after its end");
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return self.end(End::Done(value));
        }
        if PANICKED.with(|panicked| panicked.replace(false)) {
            return self.end(End::Panicked);
        }
        if let Some(patience) = &mut self.patience {
            *patience -= 1;
            if *patience == 0 {
                cx.waker().wake_by_ref();
            }
        }
        self.runtime.tasks().push(cx.waker().clone());
        if self.runtime.has_ended() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
