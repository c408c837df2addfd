//! Errors in `CHATKIT_UPSTREAM`.

use std::{error::Error, fmt};

use http::uri::InvalidUri;

/// The reason why a URL is rejected as upstream. The message does not contain the URL, which may
/// hold a password.
#[derive(Debug)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The value is not a URL.
    Malformed(InvalidUri),
    /// The scheme is missing or not `http`.
    NotHttp,
    /// The URL contains a user name or a password.
    Credentials,
    /// The URL has a query.
    Query,
    /// The host is outside of this machine and of private networks.
    Public(String),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`CHATKIT_UPSTREAM` ")?;
        match self {
            Self::Malformed(_) => f.write_str("is not a URL"),
            Self::NotHttp => f.write_str("does not begin with http://"),
            Self::Credentials => {
                f.write_str("contains a user name or a password, which the proxy does not send")
            }
            Self::Query => f.write_str("contains a `?`; the query comes from each request"),
            Self::Public(host) => write!(
                f,
                "names {host}, which is neither this machine nor on a private network: \
                 every client that reaches the upstream can send any user id",
            ),
        }?;
        f.write_str("; write CHATKIT_UPSTREAM=http://127.0.0.1:8001/support/chatkit")
    }
}

impl Error for UpstreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::NotHttp | Self::Credentials | Self::Query | Self::Public(_) => None,
        }
    }
}
