//! Certificates for servers under test.

use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A new certificate authority.
#[derive(Debug)]
pub struct CertificateAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    /// The certificate.
    pub cert_pem: String,
    /// Its private key (PKCS #8, ECDSA on P-256).
    pub key_pem: String,
}

impl CertificateAuthority {
    /// Creates an authority with a new key.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "each one is different, which a default value would hide"
    )]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let mut params = CertificateParams::default();
        // If all authorities had the same name, a client would report an invalid signature instead
        // of an unknown issuer.
        let name = format!(
            "better-auth-layer test authority {}",
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key for the authority");
        let certificate = params
            .self_signed(&key)
            .expect("a certificate of the authority");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// The certificate that a client has to trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server certificate for these DNS names and IP addresses.
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> ServerCertificate {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("DNS names or IP addresses");
        params
            .distinguished_name
            .push(DnType::CommonName, "better-auth-layer test server");
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a key for the server");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a certificate for the server");
        ServerCertificate {
            cert_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}
