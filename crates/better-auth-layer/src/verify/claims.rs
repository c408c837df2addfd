//! The claims of a JWT (RFC 7519 §4), borrowed from its payload.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::compact_jws::Text;
use super::json_value::{Discarded, JsonValue};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;

/// The claims that the policy looks at; each absent or present with the value it has, whatever its type.
#[derive(Debug, Default)]
pub(super) struct Claims<'a> {
    exp: Option<JsonValue<'a>>,
    nbf: Option<JsonValue<'a>>,
    iat: Option<JsonValue<'a>>,
    iss: Option<JsonValue<'a>>,
    aud: Option<JsonValue<'a>>,
    sub: Option<JsonValue<'a>>,
    email: Option<JsonValue<'a>>,
    session_id: Option<JsonValue<'a>>,
    update_to: Option<JsonValue<'a>>,
    request_type: Option<JsonValue<'a>>,
    session: Option<JsonValue<'a>>,
    /// The first of the claims that other tokens of the same keys have.
    foreign: Option<&'static str>,
}

/// Claims of OAuth access tokens, ID tokens and logout tokens, which Better Auth signs with the keys of its session
/// JWTs (upstream `packages/oauth-provider`).
const FOREIGN: [&str; 5] = ["azp", "client_id", "events", "nonce", "at_hash"];

impl<'a> Claims<'a> {
    /// Reads a payload. It must be one JSON object (RFC 7519 §7.2), and none of these claims may come twice (§4).
    pub(super) fn parse(payload: &'a str, session_id_claim: &str) -> Result<Self, InvalidReason> {
        let mut deserializer = serde_json::Deserializer::from_str(payload);
        let claims = ClaimsSeed { session_id_claim }
            .deserialize(&mut deserializer)
            .map_err(|_| InvalidReason::ClaimsMalformed)?;
        deserializer
            .end()
            .map_err(|_| InvalidReason::ClaimsMalformed)?;
        Ok(claims)
    }

    pub(super) fn expires_at(&self) -> Result<Timestamp, InvalidReason> {
        numeric_date("exp", self.exp.as_ref())?.ok_or(InvalidReason::ClaimMissing("exp"))
    }

    pub(super) fn not_before(&self) -> Result<Option<Timestamp>, InvalidReason> {
        numeric_date("nbf", self.nbf.as_ref())
    }

    pub(super) fn issued_at(&self) -> Result<Option<Timestamp>, InvalidReason> {
        numeric_date("iat", self.iat.as_ref())
    }

    pub(super) fn issuer(&self) -> Result<Option<&str>, InvalidReason> {
        string("iss", self.iss.as_ref())
    }

    /// The subject, where it must be there: an id to look up.
    pub(super) fn user_id(&self) -> Result<&str, InvalidReason> {
        let subject = self.subject()?.ok_or(InvalidReason::ClaimMissing("sub"))?;
        if subject.is_empty() || subject.chars().any(char::is_control) {
            return Err(InvalidReason::ClaimMalformed("sub"));
        }
        Ok(subject)
    }

    pub(super) fn subject(&self) -> Result<Option<&str>, InvalidReason> {
        string("sub", self.sub.as_ref())
    }

    pub(super) fn audience(&self) -> Result<Option<&[Cow<'a, str>]>, InvalidReason> {
        match &self.aud {
            None => Ok(None),
            Some(JsonValue::String(one)) => Ok(Some(std::slice::from_ref(one))),
            Some(JsonValue::Strings(several)) => Ok(Some(several)),
            Some(_) => Err(InvalidReason::ClaimMalformed("aud")),
        }
    }

    /// The e-mail address. Control characters are no part of any address, and a NUL would make PostgreSQL report an
    /// error for what is only a bad token.
    pub(super) fn email(&self) -> Result<&str, InvalidReason> {
        let email =
            string("email", self.email.as_ref())?.ok_or(InvalidReason::ClaimMissing("email"))?;
        if email.is_empty() || email.chars().any(char::is_control) {
            return Err(InvalidReason::ClaimMalformed("email"));
        }
        Ok(email)
    }

    pub(super) fn session_id(&self) -> Result<Option<&str>, InvalidReason> {
        match string("session id", self.session_id.as_ref()) {
            Ok(Some(id)) if id.is_empty() || id.chars().any(char::is_control) => {
                Err(InvalidReason::SessionIdMalformed)
            }
            Ok(id) => Ok(id),
            Err(_) => Err(InvalidReason::SessionIdMalformed),
        }
    }

    /// A claim that shows the token to be another one than a session JWT: of an OAuth client, or the cookie cache.
    pub(super) fn foreign(&self) -> Option<&'static str> {
        let has_session = matches!(self.session, Some(JsonValue::Object));
        self.foreign.or(has_session.then_some("session"))
    }

    /// Whether Better Auth made this token for a purpose of its own: a change-of-address mail or the cookie cache.
    pub(super) fn is_better_auth_artefact(&self) -> bool {
        self.update_to.is_some()
            || self.request_type.is_some()
            || matches!(self.session, Some(JsonValue::Object))
    }
}

/// RFC 7519 §2: seconds, possibly with a fraction. Anything but a JSON number is an error, `null` included.
fn numeric_date(
    claim: &'static str,
    value: Option<&JsonValue<'_>>,
) -> Result<Option<Timestamp>, InvalidReason> {
    match value {
        None => Ok(None),
        Some(JsonValue::Number(seconds)) => Timestamp::from_unix_seconds_f64(*seconds)
            .map(Some)
            .ok_or(InvalidReason::ClaimMalformed(claim)),
        Some(_) => Err(InvalidReason::ClaimMalformed(claim)),
    }
}

fn string<'c>(
    claim: &'static str,
    value: Option<&'c JsonValue<'_>>,
) -> Result<Option<&'c str>, InvalidReason> {
    match value {
        None => Ok(None),
        Some(JsonValue::String(text)) => Ok(Some(text)),
        Some(_) => Err(InvalidReason::ClaimMalformed(claim)),
    }
}

struct ClaimsSeed<'s> {
    session_id_claim: &'s str,
}

impl<'de> DeserializeSeed<'de> for ClaimsSeed<'_> {
    type Value = Claims<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Claims<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ClaimsSeed<'_> {
    type Value = Claims<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWT claims set")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims<'de>, A::Error> {
        let mut claims = Claims::default();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let slot = match &*name.0 {
                "exp" => &mut claims.exp,
                "nbf" => &mut claims.nbf,
                "iat" => &mut claims.iat,
                "iss" => &mut claims.iss,
                "aud" => &mut claims.aud,
                "sub" => &mut claims.sub,
                "email" => &mut claims.email,
                "updateTo" => &mut claims.update_to,
                "requestType" => &mut claims.request_type,
                "session" => &mut claims.session,
                name if name == self.session_id_claim => &mut claims.session_id,
                name => {
                    let foreign = FOREIGN.iter().find(|foreign| **foreign == name);
                    claims.foreign = claims.foreign.or(foreign.copied());
                    map.next_value::<Discarded>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value()?).is_some() {
                return Err(serde::de::Error::custom("a claim comes twice"));
            }
        }
        Ok(claims)
    }
}
