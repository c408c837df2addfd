//! Stores of users and sessions, and the lookups that the layer runs on them.
//!
//! [`UserStore`] is generic and has no boxed futures, so that a store is easy to write. The layer
//! erases the type privately, so that neither the layer nor handlers have a type parameter for it.

mod deadline;
mod error;
mod flight_key;
mod lookup;
mod memory;
mod resolution;
mod single_flight;
mod store_fn;
mod user_store;

pub(crate) use self::deadline::{catch_panic, within};
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::flight_key::{FlightKey, FlightKeyRef};
pub use self::lookup::{EmailKey, Lookup, LookupKey, LookupKind};
pub use self::memory::MemoryStore;
pub use self::resolution::Resolution;
pub(crate) use self::single_flight::SingleFlight;
pub use self::store_fn::store_fn;
pub use self::user_store::UserStore;
pub(crate) use self::user_store::{BoxFuture, DynUserStore};
pub use crate::schema::Schema;
