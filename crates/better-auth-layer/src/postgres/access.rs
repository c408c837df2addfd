//! The way to the database.

use std::sync::Arc;

use deadpool_postgres::Pool;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Transport;
use super::direct::Direct;

/// What connections are borrowed with.
pub(super) struct Access {
    pub(super) pool: Pool,
    /// For reaching the server beside a connection.
    pub(super) tls: MakeRustlsConnect,
    pub(super) direct: Arc<Direct>,
    pub(super) transport: Transport,
}
