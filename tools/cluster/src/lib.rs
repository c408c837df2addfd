//! A real PostgreSQL for the tests: one throw-away cluster per test process, or one that a test may stop and freeze.
//!
//! Where the server comes from, in this order: `TEST_DATABASE_URL`, `PG_BIN`, `PATH`, the usual directories
//! (`binaries.rs`). A missing server is a failure, never a skipped test.

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
