//! Why a store could not answer.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::diagnostics::Check;
use crate::rejection::{Rejection, RejectionKind, RetryAfter};

/// A store could not answer. The client gets `503`, never `401`, `404` or an identity.
///
/// `{}` is one sentence, `{:#}` adds the causes. The text goes to the log, so a store keeps keys, tokens and connection strings out of it and out of the source.
///
/// ```
/// use better_auth_layer::StoreError;
/// use better_auth_layer::store::StoreErrorKind;
///
/// let error = StoreError::new(StoreErrorKind::Unavailable, "the user service answered 502");
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert_eq!(error.to_string(), "the user store is unavailable");
/// assert_eq!(format!("{error:#}"), "the user store is unavailable: the user service answered 502");
/// ```
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// What follows for a request. Why is for the log.
    pub(crate) fn reject(&self, retry_after: &RetryAfter) -> Rejection {
        tracing::error!(
            outcome = RejectionKind::Unavailable.as_str(),
            kind = self.kind().as_str(),
            error = format!("{self:#}"),
            "user store failed"
        );
        Rejection::unavailable(retry_after)
    }
}

impl StoreError {
    /// An error with its cause.
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Some(source.into().into()),
        }
    }

    /// What is wrong with a store that cannot answer, and what to do about it.
    pub(crate) fn finding(&self, what: impl Into<Cow<'static, str>>) -> Check {
        Check::failed(what, format!("{self:#}")).with_remedy(match self.kind {
            StoreErrorKind::Unavailable => {
                "see that the server of users and sessions runs, that it can be reached from here, and that address, user, password and database in DATABASE_URL are right"
            }
            StoreErrorKind::Timeout => {
                "see that DATABASE_URL leads to the server of users and sessions, that it runs and has time to answer, and that nothing in between swallows connections"
            }
            StoreErrorKind::Schema => {
                "see that this is Better Auth's database, that its migrations have run, and that the role may SELECT from the tables"
            }
            StoreErrorKind::Unsupported => {
                "use a store that has it, or do not accept the credential that needs it"
            }
            StoreErrorKind::Panicked | StoreErrorKind::WrongAnswer => "mend the store's code",
        })
    }

    /// The same failure for another who waited for the answer.
    pub(crate) fn share(&self) -> Self {
        Self {
            kind: self.kind,
            source: self.source.clone(),
        }
    }

    /// No answer within the deadline.
    #[must_use]
    pub fn timeout() -> Self {
        StoreErrorKind::Timeout.into()
    }

    /// What went wrong, roughly.
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
            StoreErrorKind::Unsupported => "the user store has no such lookup",
            StoreErrorKind::Panicked => "the user store panicked",
            StoreErrorKind::WrongAnswer => {
                "the user store's answer is not one to what it was asked"
            }
        })?;
        if f.alternate() {
            let mut source = self.source();
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        Ok(())
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
    /// Not reachable, overloaded, or failing.
    Unavailable,
    /// No answer within the deadline.
    Timeout,
    /// A table or a column is missing, or several sets of tables fit.
    Schema,
    /// A kind of lookup that the store does not have.
    Unsupported,
    /// The store's code panicked.
    Panicked,
    /// The answer is not one to the question.
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
