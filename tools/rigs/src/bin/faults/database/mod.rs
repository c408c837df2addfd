//! Faults of the database.

pub(crate) mod frozen;
pub(crate) mod full;
pub(crate) mod host_name;
pub(crate) mod idle_kills;
pub(crate) mod locks;
pub(crate) mod missing;
pub(crate) mod network;
pub(crate) mod pooler;
pub(crate) mod read_only;
pub(crate) mod restart;
pub(crate) mod stop;
