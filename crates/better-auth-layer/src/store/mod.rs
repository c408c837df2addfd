//! Where users and sessions are looked up.

mod email;
mod erased;
mod erased_membership;
mod error;
mod limits;
mod lookup;
mod membership_fn;
mod membership_store;
mod memory;
mod question;
mod resolution;
mod schema;
mod single_flight;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod sql;
mod store_fn;
mod user_store;

pub use self::email::EmailKey;
pub(crate) use self::erased::DynUserStore;
pub(crate) use self::erased_membership::DynMembershipStore;
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::limits::{catch_panic, within};
pub use self::lookup::{Lookup, LookupKey, LookupKind};
pub use self::membership_fn::{MembershipFn, membership_fn};
pub use self::membership_store::MembershipStore;
pub use self::memory::MemoryStore;
pub(crate) use self::question::{Question, QuestionRef};
pub use self::resolution::Resolution;
pub use self::schema::{Column, Naming, Schema, TableName, TableNameError};
pub(crate) use self::single_flight::SingleFlight;
pub use self::store_fn::{StoreFn, store_fn};
pub use self::user_store::UserStore;
