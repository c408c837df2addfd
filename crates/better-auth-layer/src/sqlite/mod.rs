//! Users and sessions in Better Auth's SQLite file.

mod connection;
mod file_id;
mod interrupt;
mod key_source;
mod read;
mod row;
mod statements;
mod store;
mod workers;

pub use self::key_source::SqliteKeySource;
pub use self::store::{SqliteStore, SqliteStoreBuilder};
