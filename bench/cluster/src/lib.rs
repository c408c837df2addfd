//! The throw-away PostgreSQL of the tests: the same files, so that the rig measures on what the tests run on.

#[path = "../../../tests/support/postgres/mod.rs"]
pub mod postgres;
