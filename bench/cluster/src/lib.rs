//! The temporary PostgreSQL server of the tests, so that tests and benchmarks run on the same one.

#[path = "../../../tools/cluster/src/lib.rs"]
pub mod postgres;
