//! The stores against real databases: PostgreSQL, PgBouncer, SQLite. All tests share one PostgreSQL cluster.

mod batching;
mod contract;
mod diagnostics;
mod harness;
mod identity;
mod invalidation;
mod membership;
mod postgres;
mod sqlite;
