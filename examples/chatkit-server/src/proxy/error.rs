//! What can be wrong with `CHATKIT_UPSTREAM`.

use std::{error::Error, fmt};

use http::uri::InvalidUri;

/// Why a server cannot be an upstream. The value is not repeated: it may hold a password.
#[derive(Debug)]
pub(crate) enum ProxyError {
    /// Not a URL.
    Malformed(InvalidUri),
    /// Another scheme, or none.
    NotHttp,
    /// A user name or a password.
    Credentials,
    /// A query.
    Query,
    /// A host that others can reach, too.
    Public(String),
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`CHATKIT_UPSTREAM` ")?;
        match self {
            Self::Malformed(_) => f.write_str("is not a URL"),
            Self::NotHttp => f.write_str("does not begin with http://"),
            Self::Credentials => {
                f.write_str("contains a user name or a password, which are not sent")
            }
            Self::Query => f.write_str("contains a `?`; the query is that of each request"),
            Self::Public(host) => write!(
                f,
                "names {host}, which is neither this machine nor on a private network: \
                 whoever else reaches the upstream can tell it any user id",
            ),
        }?;
        f.write_str("; write CHATKIT_UPSTREAM=http://127.0.0.1:8001/support/chatkit")
    }
}

impl Error for ProxyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::NotHttp | Self::Credentials | Self::Query | Self::Public(_) => None,
        }
    }
}
