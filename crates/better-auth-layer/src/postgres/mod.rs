//! Users and sessions in Better Auth's PostgreSQL database.

mod access;
mod address;
mod announced_process;
mod batcher;
mod builder;
mod connections;
mod direct;
mod examination;
mod failure;
mod known_tables;
mod lane;
mod lane_load;
mod last_refusal;
mod link;
mod listener;
mod listening;
mod lookups;
mod members;
mod parameters;
mod question;
mod row;
mod statements;
mod store;
mod tables;
mod tls;
mod together;
mod triggers;

pub use self::builder::PostgresStoreBuilder;
pub use self::listener::{PostgresListener, PostgresListenerBuilder};
pub use self::statements::StatementMode;
pub use self::store::PostgresStore;
