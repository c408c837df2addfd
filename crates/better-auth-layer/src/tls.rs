//! TLS client configuration for issuers and databases.
//!
//! aws-lc-rs is the only cryptography library, for TLS and for JWTs.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config_error::ConfigError;

/// Returns a configuration that trusts the certificate authorities in a file, or the public ones, and
/// verifies certificate and host name.
///
/// The crypto provider is passed explicitly, because the application may install another one for the
/// process. Errors name `setting` and the `owner` of the certificate.
pub(crate) fn tls_config(
    root_certificates: Option<&Path>,
    setting: &'static str,
    owner: &'static str,
) -> Result<ClientConfig, ConfigError> {
    let roots = match root_certificates {
        Some(path) => read(path, setting, owner)?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::new(setting, "cannot be used", "check the features of rustls"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn read(
    path: &Path,
    setting: &'static str,
    owner: &'static str,
) -> Result<RootCertStore, ConfigError> {
    let error = |problem: &'static str| {
        ConfigError::new(
            setting,
            format!("{problem}: {}", path.display()),
            format!(
                "set it to a PEM file with the certificate of the authority that signed {owner}"
            ),
        )
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|_| error("cannot be read"))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|_| error("is not a PEM file"))?;
        roots
            .add(certificate)
            .map_err(|_| error("contains an invalid certificate"))?;
    }
    if roots.is_empty() {
        return Err(error("contains no certificate"));
    }
    Ok(roots)
}
