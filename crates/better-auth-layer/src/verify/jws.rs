//! The compact JWS serialization (RFC 7515 §7.1) and its JOSE header.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json_object::{JsonObject, Malformed};
use super::verified::VerifyError;
use crate::credential::InvalidReason;
use crate::jwks::{JwsAlgorithm, KeyCache, KeyError, VerificationKey};

/// The three parts of a token, not yet decoded.
#[derive(Clone, Copy)]
pub(super) struct CompactJws<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
}

impl<'a> CompactJws<'a> {
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
        let json = String::from_utf8(decode(self.header)?);
        JoseHeader::parse(&json.map_err(|_| InvalidReason::HeaderMalformed)?)
    }

    /// The payload. Verify the signature before trusting it.
    pub(super) fn payload(&self) -> Result<String, InvalidReason> {
        String::from_utf8(decode(self.payload)?).map_err(|_| InvalidReason::ClaimsMalformed)
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, InvalidReason> {
        decode(self.signature)
    }

    /// The bytes that the signature covers.
    pub(super) fn signing_input(&self) -> &'a [u8] {
        self.signing_input.as_bytes()
    }

    /// Verifies the signature with the key that the header names. Returns the payload and the key.
    ///
    /// The key determines the algorithm, and the header's `alg` must match it.
    pub(super) fn verify_with_jwks(
        &self,
        header: &JoseHeader,
        keys: &Arc<KeyCache>,
    ) -> Result<(String, Arc<VerificationKey>), VerifyError> {
        let Algorithm::PublicKey(algorithm) = header.algorithm else {
            return Err(header.reject(InvalidReason::AlgorithmNotAccepted));
        };
        let kid = header.kid.as_deref().filter(|kid| !kid.is_empty());
        let kid = kid.ok_or_else(|| header.reject(InvalidReason::KidMissing))?;
        let key = keys.get(kid).map_err(|error| match error {
            KeyError::Unknown => header.reject(InvalidReason::KidUnknown),
            KeyError::Unavailable => VerifyError::KeysUnavailable,
            KeyError::Pending(fetch) => VerifyError::KeysPending(fetch),
        })?;
        if key.algorithm() != algorithm {
            return Err(header.reject(InvalidReason::KeyAlgorithmMismatch));
        }
        let signature = self.signature().map_err(|reason| header.reject(reason))?;
        if !key.verify(self.signing_input(), &signature) {
            return Err(header.reject(InvalidReason::SignatureMismatch));
        }
        let payload = self.payload().map_err(|reason| header.reject(reason))?;
        Ok((payload, key))
    }
}

/// Decodes strict base64url without padding. All of Better Auth's signed texts share one key, so a
/// lenient decoder would make more of them interchangeable.
fn decode(part: &str) -> Result<Vec<u8>, InvalidReason> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| InvalidReason::NotCompactJws)
}

/// The members of a JOSE header that verification uses.
///
/// `jwk`, `jku`, `x5u` and `x5c` are ignored: a token never provides its own key.
#[derive(Debug)]
pub(super) struct JoseHeader {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<TokenType>,
}

/// The value of `alg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    PublicKey(JwsAlgorithm),
    NotSupported,
}

/// The value of `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenType {
    Jwt,
    /// A cookie cache that is signed with a key of the JWKS.
    SessionCache,
    Other,
}

impl JoseHeader {
    fn parse(json: &str) -> Result<Self, InvalidReason> {
        let malformed = |Malformed| InvalidReason::HeaderMalformed;
        let header = JsonObject::parse(json).map_err(malformed)?;
        let algorithm = header.string("alg").map_err(malformed)?;
        let kid = header.string("kid").map_err(malformed)?;
        let typ = header.string("typ").map_err(malformed)?;
        // RFC 7515 §4.1.11: an unsupported critical extension must be rejected, and none is
        // supported. `b64` (RFC 7797) changes the signed bytes with or without `crit`.
        if header.contains("crit") || header.contains("b64") {
            return Err(InvalidReason::CriticalExtension);
        }
        let algorithm = algorithm.ok_or(InvalidReason::HeaderMalformed)?;
        Ok(Self {
            algorithm: match JwsAlgorithm::from_name(&algorithm) {
                Some(algorithm) => Algorithm::PublicKey(algorithm),
                None if algorithm == "HS256" => Algorithm::Hs256,
                None => Algorithm::NotSupported,
            },
            kid: kid.map(Into::into),
            typ: typ.map(|typ| match &*typ {
                typ if typ.eq_ignore_ascii_case("JWT") => TokenType::Jwt,
                "better-auth.session-cache+jwt" => TokenType::SessionCache,
                _ => TokenType::Other,
            }),
        })
    }

    /// Rejects a `typ` other than `JWT`, which marks another kind of token (RFC 8725 §3.11). A
    /// token without `typ` is a JWT.
    pub(super) fn check_is_jwt(&self) -> Result<(), InvalidReason> {
        match self.typ {
            None | Some(TokenType::Jwt) => Ok(()),
            Some(_) => Err(InvalidReason::TypNotAccepted),
        }
    }

    pub(super) fn reject(&self, reason: InvalidReason) -> VerifyError {
        VerifyError::Invalid {
            reason,
            kid: self.kid.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(json: &str) -> Result<JoseHeader, InvalidReason> {
        JoseHeader::parse(json)
    }

    #[test]
    fn three_nonempty_parts_are_required() {
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
        // Padding, the standard alphabet, stray characters, unused bits, an impossible length.
        for part in ["Zg==", "-/-_", "Zm 9v", "Zm9v\n", "Zh", "Z"] {
            assert_eq!(decode(part), Err(InvalidReason::NotCompactJws), "{part:?}");
        }
    }

    #[test]
    fn header_is_one_object_with_alg() {
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
    fn critical_extensions_are_rejected() {
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
    fn only_typ_jwt_is_accepted() {
        let check = |json: &str| header(json).unwrap().check_is_jwt();
        for typ in ["JWT", "jwt", "Jwt"] {
            assert_eq!(
                check(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#)),
                Ok(())
            );
        }
        assert_eq!(check(r#"{"alg":"HS256"}"#), Ok(()));
        for typ in [
            "at+jwt",
            "logout+jwt",
            "better-auth.session-cache+jwt",
            "JOSE",
            "",
            "JWT ",
        ] {
            let json = format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
            assert_eq!(check(&json), Err(InvalidReason::TypNotAccepted), "{json}");
        }
    }
}
