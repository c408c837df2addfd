//! Users and sessions in Better Auth's PostgreSQL database.

mod address;
mod builder;
mod column_type;
mod connections;
mod failure;
mod key_source;
mod listener;
mod listening;
mod members;
mod question;
mod row;
mod statements;
mod store;
mod tables;
mod tls;
mod triggers;

pub use self::builder::PostgresStoreBuilder;
pub use self::key_source::PostgresKeySource;
pub use self::listener::{PostgresListener, PostgresListenerBuilder};
pub use self::store::PostgresStore;
