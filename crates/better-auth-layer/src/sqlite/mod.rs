//! Users and sessions in Better Auth's SQLite file.

mod connection;
mod file_id;
mod interrupt;
mod read;
mod row;
mod store;
mod workers;

pub use self::store::{SqliteStore, SqliteStoreBuilder};
