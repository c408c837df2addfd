//! The environment variables that the rig sets for a server.

use std::env;

use crate::BoxError;

/// The kind of token, for servers that accept only one kind.
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
    /// The kind of token, `BENCH_ALGORITHM`.
    pub algorithm: Algorithm,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// If a variable is missing. The rig sets all of them.
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
    env::var(name)
        .map_err(|_| format!("{name} is not set: start the server with `cargo xtask bench`").into())
}
