//! A real PostgreSQL for tests and rigs: one throw-away cluster per process, or separate clusters
//! that a test can stop and freeze.
//!
//! The server comes from `TEST_DATABASE_URL`, `PG_BIN`, `PATH` or the usual directories, in this
//! order (`binaries.rs`). A missing server is a failure, never a skipped test.

mod account;
mod binaries;
mod cluster;
mod database;
mod keeper;
mod own;
mod pooler;
mod pooler_program;
mod server;
mod tls;
mod url;

pub use self::{
    cluster::{Cluster, cluster},
    database::{Database, describe},
    own::{ClusterOptions, OwnCluster},
    pooler::{PoolMode, Pooler},
    tls::{CertificateAuthority, ServerCertificate},
};
