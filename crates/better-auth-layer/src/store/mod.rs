//! Where users and sessions are looked up.

mod email;
mod erased;
mod error;
mod limits;
mod lookup;
mod memory;
mod question;
mod resolution;
mod single_flight;
mod store_fn;
mod user_store;

pub use self::email::EmailKey;
pub(crate) use self::erased::{BoxFuture, DynUserStore};
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::limits::{catch_panic, within};
pub use self::lookup::{Lookup, LookupKey, LookupKind};
pub use self::memory::MemoryStore;
pub(crate) use self::question::{Question, QuestionRef};
pub use self::resolution::Resolution;
pub(crate) use self::single_flight::SingleFlight;
pub use self::store_fn::{StoreFn, store_fn};
pub use self::user_store::UserStore;
pub use crate::schema::Schema;
