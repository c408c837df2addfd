//! Replaces `crate::store` for the library's single flight. Lookup keys are numbers.

use std::marker::PhantomData;
use std::sync::Arc;

use self::user_store::BoxFuture;
use crate::clock::Timestamp;
use crate::diagnostics::Check;

#[rustfmt::skip]
#[path = "../../crates/better-auth-layer/src/store/single_flight.rs"]
pub(crate) mod single_flight;

pub(crate) mod user_store {
    use std::pin::Pin;

    pub(crate) use super::DynUserStore;

    pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
}

mod flight_key {
    use super::Lookup;

    #[derive(PartialEq, Eq, Hash)]
    pub(crate) struct FlightKey(u32);

    pub(crate) struct FlightKeyRef<'a>(&'a u32);

    impl<'a> FlightKeyRef<'a> {
        pub(crate) fn of(lookup: &'a Lookup<'_>) -> Self {
            Self(&lookup.key)
        }

        pub(crate) fn to_owned(&self) -> FlightKey {
            FlightKey(*self.0)
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Lookup<'a> {
    pub(crate) key: u32,
    now: Timestamp,
    /// Whether the lookup never finishes.
    pub(crate) is_stalled: bool,
    borrowed: PhantomData<&'a str>,
}

impl Lookup<'_> {
    pub(crate) fn new(key: u32, now: Timestamp) -> Self {
        Self {
            key,
            now,
            is_stalled: false,
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

/// The key and the time of the lookup, and the position of the store's read in the order.
#[derive(Clone, Debug)]
pub(crate) struct Resolution {
    pub(crate) key: u32,
    pub(crate) now: Timestamp,
    pub(crate) read_at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreErrorKind {
    /// Created by the single flight if a result is missing.
    Unavailable,
    /// The store failed in a lookup with this position in the order.
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
