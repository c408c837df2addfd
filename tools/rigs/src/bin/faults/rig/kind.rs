//! The kinds of requests, and what may be answered to each.

/// Who asks, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A user with a session, by a token signed with the secret.
    Token,
    /// The same by the signed session token.
    Session,
    /// The same by a token signed with the issuer's key.
    Key,
    /// Tokens that are forged or malformed, whatever the database or the issuer would say.
    Bad,
    /// A token that names the issuer's key and was not signed with it.
    ForgedKey,
    /// A token that names a key that the issuer does not have.
    UnknownKey,
    /// As `Key`, by an issuer whose clock is an hour ahead.
    Ahead,
    /// The same with `nbf` in it.
    NotYet,
    /// As `Key`, by an issuer whose clock is an hour behind; or expired.
    Behind,
    /// A good token for an address that no user has.
    NoUser,
    /// A good token of a user without a session.
    NoSession,
    /// A good token of a user who is banned.
    Banned,
}

/// How an answer compares with what was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckStatus {
    /// As without any fault.
    Right,
    /// `503`, in the right words.
    Unavailable,
    /// Neither.
    Wrong,
}

const UNAVAILABLE: (u16, &str) = (503, "Authentication temporarily unavailable");

impl Kind {
    /// Whether its requests are let in.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Token | Self::Session | Self::Key | Self::Ahead)
    }

    /// Whether its requests are refused for their credential.
    pub(crate) fn is_bad(self) -> bool {
        matches!(
            self,
            Self::Bad | Self::ForgedKey | Self::UnknownKey | Self::NotYet | Self::Behind
        )
    }

    /// Whether the keys of the issuer say what is answered.
    pub(crate) fn needs_keys(self) -> bool {
        matches!(self, Self::Key | Self::ForgedKey | Self::UnknownKey)
    }

    /// Whether the database says what is answered.
    pub(crate) fn needs_store(self) -> bool {
        !self.is_bad()
    }

    /// Compares an answer; `echo` is what the service behind the layer says where the request was let in.
    pub(crate) fn judge(self, echo: &str, status: u16, body: &str) -> CheckStatus {
        let is = |(due, text): (u16, &str)| {
            status == due && body == format!(r#"{{"error": "{text}", "status": {due}}}"#)
        };
        let is_right = match self {
            kind if kind.is_good() => status == 200 && body == echo,
            kind if kind.is_bad() => is((401, "Invalid or expired JWT token")),
            Self::NoUser => is((404, "User not found with provided email")),
            Self::NoSession => is((404, "No active sessions found for user")),
            _ => is((403, "User is banned")),
        };
        if is_right {
            CheckStatus::Right
        } else if is(UNAVAILABLE) {
            CheckStatus::Unavailable
        } else {
            CheckStatus::Wrong
        }
    }
}
