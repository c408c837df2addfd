//! What an error of PostgreSQL means for a lookup.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::{StoreError, StoreErrorKind};

/// The ways a query or a connection attempt fails.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is gone; on another one the same query may do.
    Dead(PostgresError),
    /// The server takes no connection just now; it may in a moment.
    NotYet(PostgresError),
    /// The key is no text that the server can hold.
    BadText,
    /// A text is no number or no UUID, or too large a number: the key, unless the key's column is text.
    BadValue(PostgresError),
    /// A table or column is not, or no longer, what it was, or may no longer be read.
    SchemaChanged(PostgresError),
    /// There is no connection to ask.
    Gone,
    /// The server cannot, whatever it is asked: it lacks memory or room, was told to stop, or is broken.
    Unable(PostgresError),
    /// Anything else.
    Other(PostgresError),
}

impl Failure {
    /// Of a query.
    pub(super) fn of_query(error: &tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::Dead(PostgresError::of_client(error));
        };
        let text = PostgresError::of_query(db);
        match db.code().code() {
            _ if ends_connection(db) => Self::Dead(text),
            "22021" | "22P05" => Self::BadText,
            "22P02" | "22003" => Self::BadValue(text),
            // Undefined column, table, schema, function, operator or cast; a right that is missing; a result type that
            // changed under a plan.
            "42703" | "42P01" | "3F000" | "42883" | "42846" | "42804" | "42501" | "0A000" => {
                Self::SchemaChanged(text)
            }
            code if ["53", "54", "55", "57", "58", "F0", "XX"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                Self::Unable(text)
            }
            _ => Self::Other(text),
        }
    }

    /// Of a query with a prepared statement.
    pub(super) fn of_prepared_query(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            // The statement is not there, or another one is, or it returns something else by now.
            Some(db) if matches!(db.code().code(), "26000" | "42P05" | "0A000") => {
                Self::Dead(PostgresError::of_query(db))
            }
            _ => Self::of_query(error),
        }
    }

    /// Of a connection attempt.
    pub(super) fn of_connecting(error: &tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let text = PostgresError::of_client(error);
            // A refused certificate or a wrong password stays one however often it is tried.
            return if text.is_about_authentication() || is_refused_tls(error) {
                Self::Other(text)
            } else {
                Self::NotYet(text)
            };
        };
        let text = PostgresError::of_connecting(db);
        let is_for_a_moment = is_shutdown_or_crash(db.code())
            || *db.code() == SqlState::TOO_MANY_CONNECTIONS
            || *db.code() == SqlState::CANNOT_CONNECT_NOW;
        if is_for_a_moment {
            Self::NotYet(text)
        } else {
            Self::Other(text)
        }
    }
}

/// Whatever the reason, the server closes the connection behind a fatal error: a shutdown, a crash, an idle connection
/// that waited too long.
fn ends_connection(error: &DbError) -> bool {
    let is_fatal = matches!(
        error.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    );
    is_fatal || is_shutdown_or_crash(error.code())
}

/// The server shuts down or crashed, or the connection broke (class 08).
fn is_shutdown_or_crash(code: &SqlState) -> bool {
    matches!(code.code(), "57P01" | "57P02" | "57P03") || code.code().starts_with("08")
}

/// The server offers no TLS, or not one to be trusted. A handshake that broke off is something else: the server may
/// have gone away in the middle.
fn is_refused_tls(error: &tokio_postgres::Error) -> bool {
    let broke_off = io_error(error).is_some_and(|error| {
        error.kind() != io::ErrorKind::InvalidInput && tls_error(error).is_none()
    });
    error.to_string().contains("TLS handshake") && !broke_off
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::SchemaChanged(error) => Self::new(StoreErrorKind::Schema, error),
            Failure::Dead(error)
            | Failure::NotYet(error)
            | Failure::BadValue(error)
            | Failure::Unable(error)
            | Failure::Other(error) => Self::new(StoreErrorKind::Unavailable, error),
            Failure::BadText | Failure::Gone => StoreErrorKind::Unavailable.into(),
        }
    }
}

/// An error's text for the log.
#[derive(Debug)]
pub(super) struct PostgresError(String);

impl PostgresError {
    /// The server's words where they name nothing but tables, columns and its own state. Others may quote a row or the
    /// key, as a function behind a view may; so may `detail` and `hint` anywhere.
    fn of_query(error: &DbError) -> Self {
        let code = error.code().code();
        let is_harmless = matches!(
            code,
            "3D000" | "3F000" | "42501" | "42703" | "42704" | "42804" | "42846" | "42883" | "42P01"
        ) || ["08", "53", "55", "57"]
            .iter()
            .any(|class| code.starts_with(class));
        if is_harmless {
            Self::of_connecting(error)
        } else {
            Self(format!("SQLSTATE {code}"))
        }
    }

    /// The server's words before anything was asked.
    fn of_connecting(error: &DbError) -> Self {
        let code = error.code().code();
        Self(format!("{} (SQLSTATE {code})", error.message()))
    }

    /// What this side says, without the host's name.
    fn of_client(error: &tokio_postgres::Error) -> Self {
        let mut text = error.to_string();
        match io_error(error).and_then(tls_error) {
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => {
                text.push_str(": the certificate is valid, but not for the host in DATABASE_URL");
                return Self(text);
            }
            Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                text.push_str(
                    ": the certificate is signed by an authority that is not trusted; give a private authority's certificate with sslrootcert",
                );
                return Self(text);
            }
            _ => {}
        }
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        if text.contains("does not support TLS") {
            text.push_str(
                "; the database offers no TLS: add `sslmode=disable` to DATABASE_URL if the network is private",
            );
        }
        Self(text)
    }

    /// Every connection is in use, or a new one takes too long to open.
    pub(super) fn no_connection() -> Self {
        Self("no connection became free or could be opened in time".to_owned())
    }

    /// Answers come in the order of the questions, and the one before does not come.
    pub(super) fn held_up() -> Self {
        Self("the connection was held up by another lookup".to_owned())
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
