//! What an error of PostgreSQL means for a lookup.

use std::error::Error;
use std::fmt;

use tokio_postgres::error::SqlState;

use crate::store::{StoreError, StoreErrorKind};

/// The ways a query or a connection attempt fails.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is gone; on another one the same query may do.
    Dead(PostgresError),
    /// The server takes no connection just now; it may in a moment.
    NotYet(PostgresError),
    /// The key cannot be one of the column's: not a number, not a UUID, not text the server can store.
    BadKey,
    /// A table or column is not, or no longer, what it was.
    SchemaChanged(PostgresError),
    /// There is no connection to ask.
    Gone,
    /// Anything else.
    Other(PostgresError),
}

impl Failure {
    /// Of a query.
    pub(super) fn of_query(error: &tokio_postgres::Error) -> Self {
        let text = PostgresError::new(error);
        let Some(code) = error.code() else {
            return Self::Dead(text);
        };
        match code.code() {
            "22P02" | "22003" | "22021" => Self::BadKey,
            // Undefined column, table, function or operator; a result type that changed under a plan.
            "42703" | "42P01" | "42883" | "0A000" | "3F000" => Self::SchemaChanged(text),
            code if is_dead(code) => Self::Dead(text),
            _ => Self::Other(text),
        }
    }

    /// Of a connection attempt.
    pub(super) fn of_connecting(error: &tokio_postgres::Error) -> Self {
        let text = PostgresError::new(error);
        let not_yet = match error.code() {
            Some(code) => {
                is_dead(code.code())
                    || *code == SqlState::TOO_MANY_CONNECTIONS
                    || *code == SqlState::CANNOT_CONNECT_NOW
            }
            // A refused certificate or a wrong password stays one however often it is tried.
            None => !text.is_about_tls() && !text.is_about_authentication(),
        };
        if not_yet {
            Self::NotYet(text)
        } else {
            Self::Other(text)
        }
    }
}

/// The server shuts down or crashed, or the connection broke (class 08).
fn is_dead(code: &str) -> bool {
    matches!(code, "57P01" | "57P02" | "57P03") || code.starts_with("08")
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::SchemaChanged(error) => Self::new(StoreErrorKind::Schema, error),
            Failure::Dead(error) | Failure::NotYet(error) | Failure::Other(error) => {
                Self::new(StoreErrorKind::Unavailable, error)
            }
            Failure::BadKey | Failure::Gone => StoreErrorKind::Unavailable.into(),
        }
    }
}

/// An error's text for the log.
///
/// The server's `detail` and `hint` are left out, as they may quote a row; so is every error that quotes its input.
#[derive(Debug)]
pub(super) struct PostgresError(String);

impl PostgresError {
    pub(super) fn new(error: &tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            let code = error.code().code();
            return Self(if code.starts_with("22") {
                format!("SQLSTATE {code}")
            } else {
                format!("{} (SQLSTATE {code})", error.message())
            });
        }
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        let mut this = Self(text);
        if this.0.contains("does not support TLS") {
            this.0.push_str(
                "; the database offers no TLS: add `sslmode=disable` to DATABASE_URL if the network is private",
            );
        }
        this
    }

    /// Every connection is in use, or a new one takes too long to open.
    pub(super) fn no_connection() -> Self {
        Self("no connection became free or could be opened in time".to_owned())
    }

    fn is_about_tls(&self) -> bool {
        self.0.contains("TLS handshake")
    }

    fn is_about_authentication(&self) -> bool {
        self.0.contains("authentication error") || self.0.contains("invalid configuration")
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for PostgresError {}
