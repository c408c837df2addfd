//! Classifies PostgreSQL errors by how a lookup reacts to them, and keeps user data out of their
//! texts.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::CertificateError;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::{StoreError, StoreErrorKind};

/// Why a query or a connection attempt failed.
#[derive(Debug)]
pub(super) enum QueryError {
    /// The connection is lost. The query may succeed on another connection.
    ConnectionLost(PostgresError),
    /// The server accepts no connection yet. A later attempt may succeed.
    NotReady(PostgresError),
    /// The lookup key contains a character that the database cannot store.
    InvalidText,
    /// A text is not a valid number or UUID, or the number is out of range. The text is the lookup
    /// key, unless the column of the key contains text.
    InvalidValue(PostgresError),
    /// A table, a column or a privilege is missing or has changed.
    SchemaChanged(PostgresError),
    /// The pool is closed.
    NoConnection,
    /// The server cannot run any query: it lacks memory or disk space, stopped the query, or has an
    /// internal error.
    ServerFailed(PostgresError),
    /// The query succeeded, but its result is an error.
    Store(StoreError),
    /// Any other error.
    Other(PostgresError),
}

impl QueryError {
    /// Classifies the error of a query.
    pub(super) fn from_query(error: &tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            return Self::ConnectionLost(PostgresError::from_client(error));
        };
        let text = PostgresError::from_query(db);
        if ends_connection(db) {
            return Self::ConnectionLost(text);
        }
        match *db.code() {
            SqlState::CHARACTER_NOT_IN_REPERTOIRE | SqlState::UNTRANSLATABLE_CHARACTER => {
                Self::InvalidText
            }
            SqlState::INVALID_TEXT_REPRESENTATION | SqlState::NUMERIC_VALUE_OUT_OF_RANGE => {
                Self::InvalidValue(text)
            }
            // The server reports the last one if the result type of a cached plan has changed.
            SqlState::UNDEFINED_COLUMN
            | SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_SCHEMA
            | SqlState::UNDEFINED_FUNCTION
            | SqlState::CANNOT_COERCE
            | SqlState::DATATYPE_MISMATCH
            | SqlState::INSUFFICIENT_PRIVILEGE
            | SqlState::FEATURE_NOT_SUPPORTED => Self::SchemaChanged(text),
            ref code if has_class(code, &["53", "54", "55", "57", "58", "F0", "XX"]) => {
                Self::ServerFailed(text)
            }
            _ => Self::Other(text),
        }
    }

    /// Classifies the error of a query with a prepared statement.
    pub(super) fn from_prepared_query(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            // The statement is missing, belongs to another client, or returns other columns now.
            Some(db)
                if matches!(
                    *db.code(),
                    SqlState::UNDEFINED_PSTATEMENT
                        | SqlState::DUPLICATE_PSTATEMENT
                        | SqlState::FEATURE_NOT_SUPPORTED
                ) =>
            {
                Self::ConnectionLost(PostgresError::from_query(db))
            }
            _ => Self::from_query(error),
        }
    }

    /// Classifies the error of a connection attempt.
    pub(super) fn from_connect(error: &tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let text = PostgresError::from_client(error);
            // Another attempt fails with the same rejected certificate or wrong password.
            return if is_authentication_error(error) || is_rejected_tls(error) {
                Self::Other(text)
            } else {
                Self::NotReady(text)
            };
        };
        let text = PostgresError::from_connect(db);
        if is_shutdown_or_crash(db.code()) || *db.code() == SqlState::TOO_MANY_CONNECTIONS {
            Self::NotReady(text)
        } else {
            Self::Other(text)
        }
    }
}

/// The server closes the connection after every fatal error.
fn ends_connection(error: &DbError) -> bool {
    let is_fatal = matches!(
        error.parsed_severity(),
        Some(Severity::Fatal | Severity::Panic)
    );
    is_fatal || is_shutdown_or_crash(error.code())
}

fn is_shutdown_or_crash(code: &SqlState) -> bool {
    matches!(
        *code,
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW
    ) || has_class(code, &["08"])
}

/// The first two characters of an SQLSTATE are its class.
fn has_class(code: &SqlState, classes: &[&str]) -> bool {
    classes.iter().any(|class| code.code().starts_with(class))
}

/// Whether the server offers no TLS or an untrusted certificate. An interrupted handshake is
/// excluded, because the server may be restarting.
///
/// tokio-postgres does not expose the kind of its errors, so their text is compared, here and in
/// the next two functions.
fn is_rejected_tls(error: &tokio_postgres::Error) -> bool {
    let is_interrupted = io_error(error).is_some_and(|error| {
        error.kind() != io::ErrorKind::InvalidInput && tls_error(error).is_none()
    });
    error.to_string().contains("TLS handshake") && !is_interrupted
}

fn is_authentication_error(error: &tokio_postgres::Error) -> bool {
    let text = PostgresError::from_client(error).0;
    text.contains("authentication error") || text.contains("invalid configuration")
}

fn is_missing_tls(text: &str) -> bool {
    text.contains("does not support TLS")
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Store(error) => error,
            QueryError::SchemaChanged(error) => Self::new(StoreErrorKind::Schema, error),
            QueryError::ConnectionLost(error)
            | QueryError::NotReady(error)
            | QueryError::InvalidValue(error)
            | QueryError::ServerFailed(error)
            | QueryError::Other(error) => Self::new(StoreErrorKind::Unavailable, error),
            QueryError::InvalidText | QueryError::NoConnection => {
                StoreErrorKind::Unavailable.into()
            }
        }
    }
}

/// The text of an error, safe for the log.
#[derive(Debug)]
pub(super) struct PostgresError(String);

impl PostgresError {
    /// Includes the server's message only for errors whose message contains nothing but names of
    /// tables and columns or the state of the server. Other messages, and `detail` and `hint` of
    /// every error, may quote a row or the lookup key.
    fn from_query(error: &DbError) -> Self {
        let is_safe = matches!(
            *error.code(),
            SqlState::UNDEFINED_DATABASE
                | SqlState::UNDEFINED_SCHEMA
                | SqlState::INSUFFICIENT_PRIVILEGE
                | SqlState::UNDEFINED_COLUMN
                | SqlState::UNDEFINED_OBJECT
                | SqlState::DATATYPE_MISMATCH
                | SqlState::CANNOT_COERCE
                | SqlState::UNDEFINED_FUNCTION
                | SqlState::UNDEFINED_TABLE
        ) || has_class(error.code(), &["08", "53", "55", "57"]);
        if is_safe {
            Self::from_connect(error)
        } else {
            Self(format!("SQLSTATE {}", error.code().code()))
        }
    }

    /// Includes the server's message: no lookup key has been sent yet.
    fn from_connect(error: &DbError) -> Self {
        let code = error.code().code();
        Self(format!("{} (SQLSTATE {code})", error.message()))
    }

    /// The client's message and its causes, without the host name.
    fn from_client(error: &tokio_postgres::Error) -> Self {
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
                    ": the certificate is signed by an authority that is not trusted; configure a private authority's certificate with sslrootcert",
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
        if is_missing_tls(&text) {
            text.push_str(
                "; the database offers no TLS: add `sslmode=disable` to DATABASE_URL if the network is private",
            );
        }
        Self(text)
    }

    /// All connections are in use, or a new connection takes too long to open.
    pub(super) fn no_connection() -> Self {
        Self("no connection became free or could be opened in time".to_owned())
    }

    /// The connection returns results in order, and an earlier query is blocked.
    pub(super) fn blocked() -> Self {
        Self("another lookup blocks the connection".to_owned())
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for PostgresError {}
