//! Which authorities are trusted to sign certificates.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config_error::ConfigError;

/// A TLS configuration that trusts the certificates in a file, else those of the public authorities, and always verifies
/// the certificate and the host's name.
///
/// The provider is handed over rather than installed for the process, which may have one of its own. `setting` and
/// `whose` are for the errors.
pub(crate) fn tls_config(
    root_certificates: Option<&Path>,
    setting: &'static str,
    whose: &'static str,
) -> Result<ClientConfig, ConfigError> {
    let roots = match root_certificates {
        Some(path) => read(path, setting, whose)?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::new(setting, "cannot be used", "check the build of rustls"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn read(
    path: &Path,
    setting: &'static str,
    whose: &'static str,
) -> Result<RootCertStore, ConfigError> {
    let error = |problem: &'static str| {
        ConfigError::new(
            setting,
            format!("{problem}: {}", path.display()),
            format!(
                "give the path of a PEM file with the certificate of the authority that signed {whose}"
            ),
        )
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|_| error("cannot be read"))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|_| error("is not a PEM file"))?;
        roots
            .add(certificate)
            .map_err(|_| error("holds something that is no certificate"))?;
    }
    if roots.is_empty() {
        return Err(error("holds no certificate"));
    }
    Ok(roots)
}
