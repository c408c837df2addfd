//! Where users and sessions are looked up.

mod email;
mod erased;
mod error;
mod limits;
mod lookup;
mod resolution;
mod store_fn;
mod user_store;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod layout;
mod schema;

pub use self::email::EmailKey;
pub(crate) use self::erased::DynUserStore;
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::limits::{catch_panic, within};
pub use self::lookup::{Lookup, LookupKey, LookupKind};
pub use self::resolution::Resolution;
pub use self::store_fn::{StoreFn, store_fn};
pub use self::user_store::UserStore;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::layout::{FoundTables, Layout, LayoutError, candidate_tables};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use self::schema::Quoted;
pub use self::schema::{Column, Naming, Schema, TableName, TableNameError};
