//! Tasks that can end early: by a drop, with their runtime, or by a panic.
//!
//! For the values that a future owns, a panic is a drop during a poll, so the models drop the
//! future instead of a panic. The tests of the library use real panics.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::sync::step;

shuttle::thread_local! {
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

    /// Drops all unfinished tasks.
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

/// Ends the task that awaits it like a panic.
pub(crate) async fn panic_here<T>() -> T {
    std::future::poll_fn(|_| {
        PANICKED.with(|panicked| panicked.set(true));
        Poll::Pending
    })
    .await
}

/// How a task ended.
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
    /// The task is dropped after this number of pending polls.
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

    /// Drops the task some time after this number of pending polls, which is at least one.
    pub(crate) fn for_at_most(mut self, polls: u32) -> Self {
        self.patience = Some(polls);
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
        let future = this.future.as_mut().expect("polled after completion");
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
