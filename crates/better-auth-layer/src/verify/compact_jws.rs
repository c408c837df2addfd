//! Compact JWS serialization (RFC 7515 §7.1) and its JOSE header.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::json_value::Discarded;
use crate::credential::InvalidReason;

/// Three parts between dots, none of them decoded yet.
#[derive(Clone, Copy)]
pub(crate) struct CompactJws<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
}

impl<'a> CompactJws<'a> {
    /// Splits a token.
    pub(super) fn parse(token: &'a str) -> Result<Self, InvalidReason> {
        let malformed = InvalidReason::NotCompactJws;
        let (signing_input, signature) = token.rsplit_once('.').ok_or(malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(malformed)?;
        if payload.contains('.') || header.is_empty() || payload.is_empty() || signature.is_empty()
        {
            return Err(malformed);
        }
        Ok(Self {
            header,
            payload,
            signature,
            signing_input,
        })
    }

    pub(super) fn header(&self) -> Result<JoseHeader, InvalidReason> {
        JoseHeader::parse(&decode(self.header)?)
    }

    /// The payload's bytes; to be read only after the signature was verified.
    pub(super) fn payload(&self) -> Result<Vec<u8>, InvalidReason> {
        decode(self.payload)
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, InvalidReason> {
        decode(self.signature)
    }

    /// What the signature covers.
    pub(super) fn signing_input(&self) -> &'a [u8] {
        self.signing_input.as_bytes()
    }
}

/// Base64url without padding, strictly: Better Auth's artefacts share one key, and a decoder that takes several
/// spellings of the same bytes makes more of them interchangeable.
fn decode(part: &str) -> Result<Vec<u8>, InvalidReason> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| InvalidReason::NotCompactJws)
}

/// The members of a JOSE header that decide how a token is checked.
///
/// `jwk`, `jku`, `x5u` and `x5c` are not read at all: no key comes from a token.
#[derive(Debug)]
pub(crate) struct JoseHeader {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
}

impl JoseHeader {
    /// Refuses a type other than `JWT`: other types are other tokens (RFC 8725 §3.11). None at all is a JWT.
    pub(super) fn check_is_jwt(&self) -> Result<(), InvalidReason> {
        match &self.typ {
            Some(typ) if !typ.eq_ignore_ascii_case("JWT") => Err(InvalidReason::TypNotAccepted),
            _ => Ok(()),
        }
    }

    fn parse(json: &[u8]) -> Result<Self, InvalidReason> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let members = deserializer
            .deserialize_map(MembersVisitor)
            .map_err(|_| InvalidReason::HeaderMalformed)?;
        deserializer
            .end()
            .map_err(|_| InvalidReason::HeaderMalformed)?;
        // RFC 7515 §4.1.11: an extension that we do not understand must not be ignored, and we understand none.
        // `b64` (RFC 7797) changes what was signed, with or without `crit`.
        if members.critical {
            return Err(InvalidReason::CriticalExtension);
        }
        Ok(Self {
            alg: members.alg.ok_or(InvalidReason::HeaderMalformed)?,
            kid: members.kid,
            typ: members.typ,
        })
    }
}

#[derive(Default)]
struct Members {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    critical: bool,
}

/// Reads a JSON object, never an array in its place, and refuses a member that comes twice (RFC 7515 §4).
struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<Text<'_>>()? {
            let slot = match &*name.0 {
                "alg" => &mut members.alg,
                "kid" => &mut members.kid,
                "typ" => &mut members.typ,
                "crit" | "b64" => {
                    members.critical = true;
                    map.next_value::<Discarded>()?;
                    continue;
                }
                _ => {
                    map.next_value::<Discarded>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value()?).is_some() {
                return Err(serde::de::Error::custom("a member comes twice"));
            }
        }
        Ok(members)
    }
}

/// Text in JSON, borrowed unless it is written with escapes.
#[derive(serde::Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn header(json: &str) -> Result<JoseHeader, InvalidReason> {
        JoseHeader::parse(json.as_bytes())
    }

    #[test]
    fn only_three_non_empty_parts_are_a_compact_jws() {
        assert!(CompactJws::parse("a.b.c").is_ok());
        for token in [
            "", "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "...", "a.b.c.", "...",
        ] {
            assert!(CompactJws::parse(token).is_err(), "{token}");
        }
    }

    #[test]
    fn base64_is_strict() {
        for part in ["Zm9v", "Zg"] {
            assert!(decode(part).is_ok(), "{part}");
        }
        // Padding, the standard alphabet, a stray character, bits that no encoder sets, a length that cannot be.
        for part in ["Zg==", "-/-_", "Zm 9v", "Zm9v\n", "Zh", "Z"] {
            assert_eq!(decode(part), Err(InvalidReason::NotCompactJws), "{part:?}");
        }
    }

    #[test]
    fn the_header_is_one_object_with_alg() {
        assert!(header(r#"{"alg":"HS256"}"#).is_ok());
        assert!(header(r#"{"\u0061lg":"HS256","kid":"1","jku":"https://evil.example/"}"#).is_ok());
        for json in [
            "",
            "null",
            "[]",
            r#"["HS256"]"#,
            r#""HS256""#,
            "{}",
            r#"{"alg":null}"#,
            r#"{"alg":1}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"HS256","kid":1}"#,
            r#"{"alg":"HS256"}{}"#,
            r#"{"alg":"HS256",}"#,
            r#"{"alg":"none","alg":"HS256"}"#,
            r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
            r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#,
            r#"{"alg":"HS256","typ":null}"#,
        ] {
            assert_eq!(
                header(json).unwrap_err(),
                InvalidReason::HeaderMalformed,
                "{json}"
            );
        }
    }

    #[test]
    fn critical_extensions_are_refused_whatever_they_are() {
        for member in [
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""crit":null"#,
            r#""b64":true"#,
            r#""b64":false"#,
            r#""crit":["b64"],"b64":true"#,
            r#""\u0063rit":["x"]"#,
        ] {
            let json = format!(r#"{{"alg":"HS256",{member}}}"#);
            assert_eq!(
                header(&json).unwrap_err(),
                InvalidReason::CriticalExtension,
                "{json}"
            );
        }
    }

    #[test]
    fn a_type_other_than_jwt_is_another_kind_of_token() {
        let verdict = |json: &str| header(json).unwrap().check_is_jwt();
        for typ in ["JWT", "jwt", "Jwt"] {
            assert_eq!(
                verdict(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#)),
                Ok(())
            );
        }
        assert_eq!(verdict(r#"{"alg":"HS256"}"#), Ok(()));
        for typ in [
            "at+jwt",
            "logout+jwt",
            "better-auth.session-cache+jwt",
            "JOSE",
            "",
            "JWT ",
        ] {
            let json = format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
            assert_eq!(verdict(&json), Err(InvalidReason::TypNotAccepted), "{json}");
        }
    }
}
