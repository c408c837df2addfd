//! What the rig tells a server, by its environment.

use std::env;

use crate::BoxError;

/// Which tokens a server has to accept, for those that accept one kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Signed with the secret.
    Hs256,
    /// Signed with an Ed25519 key.
    EdDsa,
}

/// The settings of a server under measurement.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The secret of the deployment, `BENCH_SECRET`.
    pub secret: String,
    /// Issuer and audience of every token, `BENCH_ISSUER`.
    pub issuer: String,
    /// The public key as a JSON Web Key Set, `BENCH_JWKS`.
    pub jwks: String,
    /// The public key's `x`, base64url, `BENCH_ED25519_X`.
    pub ed25519_x: String,
    /// Which of the two kinds of token, `BENCH_ALGORITHM`.
    pub algorithm: Algorithm,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// When a variable is missing: servers are started by the rig.
    pub fn read() -> Result<Self, BoxError> {
        let algorithm = match &*variable("BENCH_ALGORITHM")? {
            "HS256" => Algorithm::Hs256,
            "EdDSA" => Algorithm::EdDsa,
            other => return Err(format!("BENCH_ALGORITHM is {other}, not HS256 or EdDSA").into()),
        };
        Ok(Self {
            secret: variable("BENCH_SECRET")?,
            issuer: variable("BENCH_ISSUER")?,
            jwks: variable("BENCH_JWKS")?,
            ed25519_x: variable("BENCH_ED25519_X")?,
            algorithm,
        })
    }
}

fn variable(name: &str) -> Result<String, BoxError> {
    env::var(name).map_err(|_| format!("{name} is not set: start servers by the rig").into())
}
