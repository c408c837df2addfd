//! The kinds of requests and their expected responses.

/// The credential of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A secret-signed token of a user with a session.
    Token,
    /// A signed session token of the same user.
    Session,
    /// A token of the same user, signed with the issuer's key.
    Key,
    /// Forged or malformed tokens, which need neither the database nor the issuer.
    Bad,
    /// A token that names the issuer's key but is not signed with it.
    ForgedKey,
    /// A token that names an unknown key.
    UnknownKey,
    /// Like `Key`, from an issuer whose clock is an hour ahead.
    Ahead,
    /// The same with `nbf`.
    NotYet,
    /// Like `Key`, expired, or from an issuer whose clock is an hour behind.
    Behind,
    /// A valid token for an unknown email.
    NoUser,
    /// A valid token of a user without a session.
    NoSession,
    /// A valid token of a banned user.
    Banned,
}

/// The comparison of a response with the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The same as without a fault.
    Right,
    /// `503` with the right body.
    Unavailable,
    /// Any other response.
    Wrong,
}

const UNAVAILABLE: (u16, &str) = (503, "Authentication temporarily unavailable");

impl Kind {
    /// Whether its requests are accepted.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Token | Self::Session | Self::Key | Self::Ahead)
    }

    /// Whether its requests are rejected for the credential.
    pub(crate) fn is_bad(self) -> bool {
        matches!(
            self,
            Self::Bad | Self::ForgedKey | Self::UnknownKey | Self::NotYet | Self::Behind
        )
    }

    /// Whether the response depends on the issuer's keys.
    pub(crate) fn needs_keys(self) -> bool {
        matches!(self, Self::Key | Self::ForgedKey | Self::UnknownKey)
    }

    /// Whether the response depends on the database.
    pub(crate) fn needs_store(self) -> bool {
        !self.is_bad()
    }

    /// Compares a response. `echo` is the expected response of the service behind the layer.
    pub(crate) fn judge(self, echo: &str, status: u16, body: &str) -> Verdict {
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
            Verdict::Right
        } else if is(UNAVAILABLE) {
            Verdict::Unavailable
        } else {
            Verdict::Wrong
        }
    }
}
