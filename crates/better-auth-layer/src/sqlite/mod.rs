//! Users and sessions in Better Auth's SQLite file.
//!
//! - Lookups that wait at the same time share a thread and a transaction, because the handover
//!   between threads and the locks of the file cost more than a lookup.
//! - A connection looks for the tables again when SQLite's counter of schema changes differs, so
//!   migrations need no restart.
//! - A cancelled lookup interrupts its query, so that it does not occupy a thread.

mod connection;
mod file_id;
mod read;
mod row;
mod store;
mod workers;

pub use self::store::{SqliteStore, SqliteStoreBuilder};
