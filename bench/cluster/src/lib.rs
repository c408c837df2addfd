//! The temporary PostgreSQL server of the tests, so that tests and benchmarks run on the same one.

#[path = "../../../tests/support/postgres/mod.rs"]
pub mod postgres;
