//! The claims of a JWT (RFC 7519 §4), borrowed from its payload.

use std::borrow::Cow;

use super::json_object::{JsonObject, Strings};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;

/// Claims of OAuth access tokens, ID tokens and logout tokens, which Better Auth signs with the
/// same keys as its session JWTs (upstream `packages/oauth-provider`).
const OTHER_TOKEN_CLAIMS: [&str; 5] = ["azp", "client_id", "events", "nonce", "at_hash"];

/// A claims set. A claim is absent or has its type; any other value is an error.
pub(super) struct Claims<'a> {
    object: JsonObject<'a>,
    session_id_claim: &'a str,
}

impl<'a> Claims<'a> {
    /// Parses a payload: one JSON object (RFC 7519 §7.2) without duplicate members (§4).
    pub(super) fn parse(
        payload: &'a str,
        session_id_claim: &'a str,
    ) -> Result<Self, InvalidReason> {
        let object = JsonObject::parse(payload).map_err(|_| InvalidReason::ClaimsMalformed)?;
        Ok(Self {
            object,
            session_id_claim,
        })
    }

    pub(super) fn expires_at(&self) -> Result<Timestamp, InvalidReason> {
        self.numeric_date("exp")?
            .ok_or(InvalidReason::ClaimMissing("exp"))
    }

    pub(super) fn not_before(&self) -> Result<Option<Timestamp>, InvalidReason> {
        self.numeric_date("nbf")
    }

    pub(super) fn issued_at(&self) -> Result<Option<Timestamp>, InvalidReason> {
        self.numeric_date("iat")
    }

    pub(super) fn issuer(&self) -> Result<Option<Cow<'a, str>>, InvalidReason> {
        self.string("iss")
    }

    pub(super) fn subject(&self) -> Result<Option<Cow<'a, str>>, InvalidReason> {
        self.string("sub")
    }

    pub(super) fn audience(&self) -> Result<Option<Strings<'a>>, InvalidReason> {
        self.object
            .strings("aud")
            .map_err(|_| InvalidReason::ClaimMalformed("aud"))
    }

    /// `sub` as the id of the user to look up.
    pub(super) fn user_id(&self) -> Result<Cow<'a, str>, InvalidReason> {
        lookup_key("sub", self.subject()?)
    }

    pub(super) fn email(&self) -> Result<Cow<'a, str>, InvalidReason> {
        lookup_key("email", self.string("email")?)
    }

    pub(super) fn session_id(&self) -> Result<Option<Cow<'a, str>>, InvalidReason> {
        match self.object.string(self.session_id_claim) {
            Ok(None) => Ok(None),
            Ok(Some(id)) if is_lookup_key(&id) => Ok(Some(id)),
            _ => Err(InvalidReason::SessionIdMalformed),
        }
    }

    /// A claim that only other tokens of the same keys have: OAuth tokens and the cookie cache.
    pub(super) fn other_token_claim(&self) -> Option<&'static str> {
        OTHER_TOKEN_CLAIMS
            .into_iter()
            .find(|claim| self.object.contains(claim))
            .or(self.object.is_object("session").then_some("session"))
    }

    /// Whether Better Auth signed this token for internal use: to change an email, or as a cookie
    /// cache.
    pub(super) fn is_internal(&self) -> bool {
        self.object.contains("updateTo")
            || self.object.contains("requestType")
            || self.object.is_object("session")
    }

    /// RFC 7519 §2: a number of seconds, possibly with a fraction.
    fn numeric_date(&self, claim: &'static str) -> Result<Option<Timestamp>, InvalidReason> {
        let malformed = InvalidReason::ClaimMalformed(claim);
        let Some(seconds) = self.object.number(claim).map_err(|_| malformed)? else {
            return Ok(None);
        };
        let date = Timestamp::from_unix_seconds_f64(seconds).ok_or(malformed)?;
        Ok(Some(date))
    }

    fn string(&self, claim: &'static str) -> Result<Option<Cow<'a, str>>, InvalidReason> {
        self.object
            .string(claim)
            .map_err(|_| InvalidReason::ClaimMalformed(claim))
    }
}

/// A required claim that the store looks a row up by.
fn lookup_key<'a>(
    claim: &'static str,
    value: Option<Cow<'a, str>>,
) -> Result<Cow<'a, str>, InvalidReason> {
    let value = value.ok_or(InvalidReason::ClaimMissing(claim))?;
    if is_lookup_key(&value) {
        Ok(value)
    } else {
        Err(InvalidReason::ClaimMalformed(claim))
    }
}

/// No id or email contains control characters, and a NUL would make PostgreSQL report an error
/// (503) for an invalid token (401).
fn is_lookup_key(value: &str) -> bool {
    !value.is_empty() && !value.chars().any(char::is_control)
}
