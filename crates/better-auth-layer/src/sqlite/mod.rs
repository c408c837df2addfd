//! Users and sessions in Better Auth's SQLite file.

mod connection;
mod file_id;
mod interrupt;
mod key_source;
mod row;
mod statements;
mod store;

pub use self::key_source::SqliteKeySource;
pub use self::store::{SqliteStore, SqliteStoreBuilder};
