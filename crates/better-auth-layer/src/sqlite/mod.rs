//! Users and sessions in Better Auth's SQLite file.

mod connection;
mod row;
mod statements;
mod store;

pub use self::store::{SqliteStore, SqliteStoreBuilder};
