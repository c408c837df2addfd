//! What the library's single flight finds around it: a store whose questions are numbers.

use std::marker::PhantomData;
use std::sync::Arc;

use self::erased::BoxFuture;
use crate::clock::Timestamp;
use crate::diagnostics::Check;

#[rustfmt::skip]
#[path = "../../crates/better-auth-layer/src/store/single_flight.rs"]
pub(crate) mod single_flight;

pub(crate) mod erased {
    use std::pin::Pin;

    pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
}

mod question {
    use super::Lookup;

    #[derive(PartialEq, Eq, Hash)]
    pub(crate) struct Question(u32);

    pub(crate) struct QuestionRef<'a>(&'a u32);

    impl<'a> QuestionRef<'a> {
        pub(crate) fn of(lookup: &'a Lookup<'_>) -> Self {
            Self(&lookup.key)
        }

        pub(crate) fn to_owned(&self) -> Question {
            Question(*self.0)
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Lookup<'a> {
    pub(crate) key: u32,
    now: Timestamp,
    /// Whether who asks is not polled any more.
    pub(crate) is_forgotten: bool,
    borrowed: PhantomData<&'a str>,
}

impl Lookup<'_> {
    pub(crate) fn new(key: u32, now: Timestamp) -> Self {
        Self {
            key,
            now,
            is_forgotten: false,
            borrowed: PhantomData,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupKind {}

/// What was asked, when, and when the store read it.
#[derive(Clone, Debug)]
pub(crate) struct Resolution {
    pub(crate) key: u32,
    pub(crate) now: Timestamp,
    pub(crate) read_at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreErrorKind {
    /// Made by the single flight itself, where there should be an answer.
    Unavailable,
    /// The store failed in a lookup that began at this time.
    Failed(u64),
}

#[derive(Debug)]
pub(crate) struct StoreError(pub(crate) StoreErrorKind);

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self(kind)
    }
}

impl StoreError {
    pub(crate) fn share(&self) -> Self {
        Self(self.0)
    }
}

pub(crate) trait DynUserStore: Send + Sync + 'static {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>>;
    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution>;
    fn supports(&self, kind: LookupKind) -> bool;
    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>>;
    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>>;
    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>>;
}
