//! A demo in place of a Better Auth deployment.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::response::BoxError;

/// A SQLite database with one user and one session, and a random secret.
///
/// The files are removed on drop.
#[derive(Debug)]
pub struct DemoDeployment {
    directory: TempDir,
    secret: Secret,
}

impl DemoDeployment {
    /// The id of the user.
    pub const USER_ID: &str = "demo-user";
    /// The email of the user.
    pub const EMAIL: &str = "demo@example.com";

    /// Creates the database in a private temporary directory.
    ///
    /// # Errors
    ///
    /// The directory or the database cannot be created.
    pub fn create() -> Result<Self, BoxError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("better-auth-demo-");
        // Other users of this machine must not read the database.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let directory = builder.tempdir();
        let directory = directory.map_err(|error| {
            format!("cannot create the demo database: {error}; set TMPDIR to a writable directory")
        })?;
        let mut secret = Secret([0; 32]);
        getrandom::fill(&mut secret.0)?;
        let demo = Self { directory, secret };
        Connection::open(demo.database())?.execute_batch(include_str!("demo.sql"))?;
        Ok(demo)
    }

    /// The path of the SQLite file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("auth.sqlite")
    }

    /// The secret that signs tokens.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret.0
    }

    /// A curl command for a server at `address`, with a token for the user.
    #[must_use]
    pub fn instructions(&self, mut address: SocketAddr, token: &str) -> String {
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        format!(
            "
This is a demo. Its user is {}, in {}
until the server stops. This token is valid for one hour:

{token}

Paste this into another terminal:

curl -N http://{address}/support/chatkit -H 'content-type: application/json' \
             -d '{{\"message\":\"Hello\"}}' -H 'authorization: Bearer {token}'
",
            Self::EMAIL,
            self.database().display()
        )
    }
}

struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}
