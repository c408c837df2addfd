//! TLS towards the database: the certificate and the host's name are always verified.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config_error::ConfigError;

const SETTING: &str = "sslrootcert";

/// Trusts the certificates in a file, else those of the public authorities.
///
/// The provider is handed over rather than installed for the process, which may have one of its own.
pub(super) fn connector(
    root_certificates: Option<&Path>,
) -> Result<MakeRustlsConnect, ConfigError> {
    let roots = match root_certificates {
        Some(path) => read(path)?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::new(SETTING, "cannot be used", "check the build of rustls"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn read(path: &Path) -> Result<RootCertStore, ConfigError> {
    let error = |problem: String| {
        ConfigError::new(
            SETTING,
            format!("{problem}: {}", path.display()),
            "give the path of a PEM file with the certificate of the authority that signed the database's",
        )
    };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|_| error("cannot be read".to_owned()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|_| error("is not a PEM file".to_owned()))?;
        roots
            .add(certificate)
            .map_err(|_| error("holds something that is no certificate".to_owned()))?;
    }
    if roots.is_empty() {
        return Err(error("holds no certificate".to_owned()));
    }
    Ok(roots)
}
