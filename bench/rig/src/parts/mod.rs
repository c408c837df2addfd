//! The parts of a run. Each can run alone.

pub(crate) mod latency;
pub(crate) mod memory;
pub(crate) mod revocation;
pub(crate) mod scaling;
pub(crate) mod sqlite;
pub(crate) mod store;
pub(crate) mod table;
