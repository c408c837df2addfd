//! [`PostgresStore`], a store on Better Auth's PostgreSQL database, and [`PostgresListener`], which
//! keeps a cache of it up to date.

mod batch;
mod builder;
mod diagnose;
mod error;
mod listen_task;
mod listener;
mod pool;
mod pooler_detection;
mod query;
mod shared_connection;
mod store;
mod tables;
mod triggers;
mod url;

pub use self::builder::PostgresStoreBuilder;
pub use self::listener::{PostgresListener, PostgresListenerBuilder};
pub use self::pooler_detection::StatementMode;
pub use self::store::PostgresStore;
