//! The stores against real databases: PostgreSQL, PgBouncer, SQLite. All tests share one PostgreSQL cluster.

mod batching;
mod conformance;
mod diagnostics;
mod harness;
mod invalidation;
mod membership;
mod postgres;
mod soak;
mod sqlite;
