//! The demo: a database of its own with one user and one session, and a secret that nobody knows.

use std::{
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use better_auth_layer::ConfigError;
use better_auth_layer::{Config, Secret};
use jiff::Timestamp;
use rusqlite::Connection;

use crate::start_error::StartError;
use crate::token;

const USER_ID: &str = "demo-user";
const EMAIL: &str = "demo@example.com";

/// Who signs the demo's tokens, where nobody says otherwise.
pub(crate) fn issuer(settings: &Config) -> &str {
    settings.issuer().unwrap_or("chatkit-server")
}

/// How long Better Auth lets a session last.
const SESSION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The tables as Better Auth makes them in SQLite.
const TABLES: &str = r#"
CREATE TABLE "user" ("id" text not null primary key, "name" text not null,
    "email" text not null unique, "emailVerified" integer not null, "image" text,
    "createdAt" date not null, "updatedAt" date not null);
CREATE TABLE "session" ("id" text not null primary key, "expiresAt" date not null,
    "token" text not null unique, "createdAt" date not null, "updatedAt" date not null,
    "ipAddress" text, "userAgent" text,
    "userId" text not null references "user" ("id") on delete cascade);
CREATE INDEX "session_userId_idx" on "session" ("userId");
"#;

/// A database in a directory of its own, which goes away with this.
#[derive(Debug)]
pub(crate) struct Demo {
    directory: PathBuf,
    secret: String,
}

impl Demo {
    pub(crate) fn create() -> Result<Self, StartError> {
        let directory = env::temp_dir().join(format!("better-auth-demo-{}", random()?));
        create_private(&directory).map_err(|error| impossible(&directory, &error))?;
        let demo = Self {
            directory,
            secret: random()? + &random()?,
        };
        let session_token = random()?;
        fill(&demo.database(), &session_token)
            .map_err(|error| impossible(&demo.database(), &error))?;
        Ok(demo)
    }

    pub(crate) fn secret(&self) -> Result<Secret, StartError> {
        Secret::new(self.secret.as_str())
            .map_err(|error: ConfigError| StartError::new(error.to_string()))
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.join("auth.sqlite")
    }

    /// How to try it, for the console.
    pub(crate) fn invitation(
        &self,
        address: SocketAddr,
        settings: &Config,
    ) -> Result<String, StartError> {
        let issuer = Some(issuer(settings));
        let token = token::mint(&self.secret()?, settings, issuer, EMAIL, Some(USER_ID))?;
        let database = self.database();
        let database = database.display();
        Ok(format!(
            "
This is a demo. Its user is {EMAIL}, in {database}
until the server stops. Here is a token, good for one hour:

{token}

Paste this into another terminal:

curl -N http://{address}/support/chatkit -H 'content-type: application/json' \
             -d '{{\"message\":\"Hello\"}}' -H 'authorization: Bearer {token}'
"
        ))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            tracing::warn!(%error, directory = %self.directory.display(), "the demo's files stay");
        }
    }
}

fn fill(path: &Path, session_token: &str) -> rusqlite::Result<()> {
    let now = Timestamp::now();
    let database = Connection::open(path)?;
    database.execute_batch(TABLES)?;
    database.execute(
        r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
           VALUES (?1, 'Demo', ?2, 1, ?3, ?3)"#,
        (USER_ID, EMAIL, date(now)),
    )?;
    database.execute(
        r#"INSERT INTO "session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "userId")
           VALUES ('demo-session', ?1, ?2, ?3, ?3, ?4)"#,
        (date(now + SESSION), session_token, date(now), USER_ID),
    )?;
    Ok(())
}

/// As JavaScript writes a date, and with it Better Auth.
fn date(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Others on this machine have no business with the demo's session.
fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn impossible(path: &Path, error: &dyn std::error::Error) -> StartError {
    let path = path.display();
    StartError::new(format!(
        "the demo's database cannot be made at {path}: {error}; \
         set TMPDIR to a directory that can be written, or DATABASE_URL and BETTER_AUTH_SECRET"
    ))
}

/// 16 random bytes in hexadecimal.
fn random() -> Result<String, StartError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StartError::new(format!("the system gives no random bytes: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
