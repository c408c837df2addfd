//! TLS towards the database.

use std::path::Path;

use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config_error::ConfigError;
use crate::tls::tls_config;

/// Trusts the certificates in a file, else those of the public authorities.
pub(super) fn connector(
    root_certificates: Option<&Path>,
) -> Result<MakeRustlsConnect, ConfigError> {
    tls_config(root_certificates, "sslrootcert", "the database's").map(MakeRustlsConnect::new)
}
