//! The error of a failed lookup, which becomes `503`.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::diagnostics::Check;
use crate::rejection::{Rejection, RejectionKind, RetryAfter};

/// A failed lookup. The client gets `503`, never `401`, `404` or an identity.
///
/// `Display` is one sentence; [`source`](Error::source) is the cause. The layer logs both, so a
/// store must keep keys, tokens and connection strings out of the source.
///
/// ```
/// use std::error::Error;
/// use better_auth_layer::StoreError;
/// use better_auth_layer::store::StoreErrorKind;
///
/// let error = StoreError::new(StoreErrorKind::Unavailable, "the user service returned 502");
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "the user store is unavailable");
/// assert_eq!(error.source().unwrap().to_string(), "the user service returned 502");
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Logs the error and returns the response, which does not contain the cause.
    pub(crate) fn reject(&self, retry_after: &RetryAfter) -> Rejection {
        tracing::error!(
            outcome = RejectionKind::Unavailable.as_str(),
            kind = self.kind().as_str(),
            error = self.with_causes(),
            "user store failed"
        );
        Rejection::unavailable(retry_after)
    }

    /// The sentence of this error followed by those of its causes, for logs and diagnostics.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }

    /// An error with its cause.
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Some(source.into().into()),
        }
    }

    /// A failed check with a remedy.
    pub(crate) fn finding(&self, subject: impl Into<Cow<'static, str>>) -> Check {
        Check::failed(subject, self.with_causes()).with_remedy(match self.kind {
            StoreErrorKind::Unavailable => {
                "check that the database server runs and is reachable from here, and that host, user, password and database in DATABASE_URL are correct"
            }
            StoreErrorKind::Timeout => {
                "check that DATABASE_URL leads to the database server, that the server is not overloaded, and that no firewall drops its packets"
            }
            StoreErrorKind::Schema => {
                "check that this is Better Auth's database, that its migrations have run, and that the role may SELECT from the tables"
            }
            StoreErrorKind::Unsupported => {
                "use a store that supports this lookup, or do not accept the credential that needs it"
            }
            StoreErrorKind::Panicked | StoreErrorKind::WrongAnswer => {
                "fix the `UserStore` implementation"
            }
        })
    }

    /// The same error for another follower of the lookup.
    pub(crate) fn share(&self) -> Self {
        Self {
            kind: self.kind,
            source: self.source.clone(),
        }
    }

    /// The lookup timed out.
    #[must_use]
    pub fn timeout() -> Self {
        StoreErrorKind::Timeout.into()
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the user store is unavailable",
            StoreErrorKind::Timeout => "the user store did not answer in time",
            StoreErrorKind::Schema => "the user store's tables are not as expected",
            StoreErrorKind::Unsupported => "the user store does not support this lookup",
            StoreErrorKind::Panicked => "the user store panicked",
            StoreErrorKind::WrongAnswer => {
                "the user store returned a result that does not match the lookup"
            }
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The kinds of [`StoreError`].
///
/// ```
/// use better_auth_layer::StoreError;
/// use better_auth_layer::store::StoreErrorKind;
///
/// fn failed(error: std::io::Error) -> StoreError {
///     match error.kind() {
///         std::io::ErrorKind::TimedOut => StoreError::timeout(),
///         _ => StoreError::new(StoreErrorKind::Unavailable, error),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The backend is unreachable, overloaded, or failing.
    Unavailable,
    /// The lookup timed out.
    Timeout,
    /// A table or a column is missing, or several sets of tables match.
    Schema,
    /// The store does not support this kind of lookup.
    Unsupported,
    /// The store's code panicked.
    Panicked,
    /// The result does not match the lookup.
    WrongAnswer,
}

impl StoreErrorKind {
    /// The name used in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Schema => "schema",
            Self::Unsupported => "unsupported",
            Self::Panicked => "panicked",
            Self::WrongAnswer => "wrong_answer",
        }
    }
}
