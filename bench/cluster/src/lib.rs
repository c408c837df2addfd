//! The throw-away PostgreSQL of the tests: the same files, so that the rig measures on what the tests run on.

#[path = "../../../tools/cluster/src/lib.rs"]
pub mod postgres;
