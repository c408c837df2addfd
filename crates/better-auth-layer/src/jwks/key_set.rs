//! A set of public keys, and the index of those that can be used.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::key::{Jwk, KeyProblem};
use super::{JwsAlgorithm, KeySourceError, VerificationKey};

/// More keys than any issuer publishes.
const MAX_KEYS: usize = 200;

/// A JSON Web Key Set (RFC 7517 §5): the response of Better Auth's `/api/auth/jwks`.
///
/// A key set is also a [`KeySource`](crate::jwks::KeySource) of keys that never change:
///
/// ```
/// use better_auth_layer::jwks::KeySet;
///
/// let keys: KeySet = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"k1",
///     "x":"etqRjQJwpZj3YG-zn0dQBWe-1pdN0ax3Z0fOOzN5Flo"}]}"#.parse()?;
/// assert_eq!(keys.len(), 1);
/// # Ok::<(), better_auth_layer::jwks::KeySourceError>(())
/// ```
///
/// The layer logs and skips a key that it cannot use: one that is symmetric, weak, not for
/// signatures, of an unknown type, or with an `alg` that does not match its type. Keys that share a
/// `kid` are all skipped. The other keys of the set are used.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Jwk>,
}

impl KeySet {
    /// Parses a key set.
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] for anything but a JSON object with an array `keys` of objects, and for
    /// more than 200 keys.
    pub fn from_json(json: &[u8]) -> Result<Self, KeySourceError> {
        let set: Value = serde_json::from_slice(json)
            .map_err(|_| KeySourceError::new("the key set is not JSON"))?;
        let not_a_set = || KeySourceError::new("the JSON is not a JSON Web Key Set");
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err(not_a_set());
        };
        if keys.len() > MAX_KEYS {
            return Err(KeySourceError::new("the key set has more than 200 keys"));
        }
        let keys = keys.iter().map(|key| key.as_object().cloned());
        let keys: Option<Vec<_>> = keys.map(|members| members.map(Jwk::new)).collect();
        Ok(Self {
            keys: keys.ok_or_else(not_a_set)?,
        })
    }

    /// Adds a row of Better Auth's `jwks` table, which stores `kid` and `alg` in separate columns.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn push_row(&mut self, kid: String, alg: Option<String>, public_key: &str) {
        let mut members =
            serde_json::from_str::<serde_json::Map<_, _>>(public_key).unwrap_or_default();
        members.insert("kid".to_owned(), Value::String(kid));
        if let Some(alg) = alg {
            members.entry("alg").or_insert(Value::String(alg));
        }
        self.keys.push(Jwk::new(members));
    }

    /// The number of keys, usable or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the set has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that can be used.
    pub(super) fn usable(&self, rsa_algorithm: Option<JwsAlgorithm>) -> UsableKeys {
        let mut usable = UsableKeys::default();
        for jwk in &self.keys {
            if let Err(problem) = usable.add(jwk, rsa_algorithm) {
                let kid = jwk.text("kid").ok().flatten();
                let kid = kid.map(|kid| kid.chars().take(64).collect::<String>());
                tracing::warn!(?kid, %problem, "a key of the JWKS is not used");
            }
        }
        usable
    }
}

impl std::str::FromStr for KeySet {
    type Err = KeySourceError;

    fn from_str(json: &str) -> Result<Self, KeySourceError> {
        Self::from_json(json.as_bytes())
    }
}

/// Keys by `kid`. `None` marks a `kid` that two different keys share: neither is trusted.
#[derive(Default)]
pub(super) struct UsableKeys(HashMap<String, Option<Arc<VerificationKey>>>);

impl UsableKeys {
    fn add(&mut self, jwk: &Jwk, rsa_algorithm: Option<JwsAlgorithm>) -> Result<(), KeyProblem> {
        let kid = jwk.text("kid")?.filter(|kid| !kid.is_empty());
        let kid = kid.ok_or(KeyProblem::NoKid)?;
        let key = VerificationKey::new(jwk, rsa_algorithm)?;
        match self.0.entry(kid.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(Some(Arc::new(key)));
                Ok(())
            }
            Entry::Occupied(mut occupied) => {
                let other = occupied.get().as_ref();
                if other.is_some_and(|other| key.is_same_as(other)) {
                    return Ok(());
                }
                occupied.insert(None);
                Err(KeyProblem::DuplicateKid)
            }
        }
    }

    pub(super) fn get(&self, kid: &str) -> Option<&Arc<VerificationKey>> {
        self.0.get(kid)?.as_ref()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().flatten().count()
    }
}

impl fmt::Debug for UsableKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UsableKeys({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        r#""kty":"OKP","crv":"Ed25519","x":"etqRjQJwpZj3YG-zn0dQBWe-1pdN0ax3Z0fOOzN5Flo""#;
    const OTHER: &str =
        r#""kty":"OKP","crv":"Ed25519","x":"OzGS7yqMBBKyD9hmX0C0QZIspgS5CZ2RiR-ui2lB6Cw""#;

    fn usable(keys: &str) -> UsableKeys {
        let set: KeySet = format!(r#"{{"keys":[{keys}]}}"#).parse().unwrap();
        set.usable(None)
    }

    #[test]
    fn unusable_key_is_skipped() {
        for unusable in [
            r#"{"kid":"b"}"#.to_owned(),
            r#"{"kid":"b","kty":"oct","k":"c2VjcmV0","alg":"HS256"}"#.to_owned(),
            r#"{"kid":"b","kty":"OKP","crv":"Ed448","x":"AA"}"#.to_owned(),
            r#"{"kid":"b","kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(),
            r#"{"kid":"b","kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(),
            r#"{"kid":"b","kty":"RSA","alg":"RS256","n":"AQAB","e":"AQAB"}"#.to_owned(),
            format!(r#"{{"kid":"b","alg":"ES256",{ED25519}}}"#),
            format!(r#"{{"kid":"b","alg":"HS256",{ED25519}}}"#),
            format!(r#"{{"kid":"b","alg":1,{ED25519}}}"#),
            format!(r#"{{"kid":"b","use":"enc",{ED25519}}}"#),
            format!(r#"{{"kid":"b","key_ops":["sign"],{ED25519}}}"#),
            format!(r#"{{"kid":"b","key_ops":"verify",{ED25519}}}"#),
            format!(r#"{{"kid":1,{ED25519}}}"#),
            format!(r#"{{"kid":"",{ED25519}}}"#),
            format!("{{{ED25519}}}"),
        ] {
            let keys = usable(&format!(r#"{unusable},{{"kid":"a",{ED25519}}}"#));
            assert!(keys.get("a").is_some(), "{unusable}");
            assert_eq!(keys.len(), 1, "{unusable}");
        }
    }

    #[test]
    fn optional_members_are_accepted() {
        for members in [
            "",
            r#""alg":"EdDSA","#,
            r#""alg":"Ed25519","#,
            r#""use":"sig","#,
            r#""key_ops":["verify"],"ext":true,"#,
        ] {
            let keys = usable(&format!(r#"{{{members}"kid":"a",{ED25519}}}"#));
            assert!(keys.get("a").is_some(), "{members}");
        }
    }

    #[test]
    fn duplicate_kid_is_not_trusted() {
        let key = |key: &str| format!(r#"{{"kid":"a",{key}}}"#);
        let (one, other) = (key(ED25519), key(OTHER));
        assert!(usable(&format!("{one},{one}")).get("a").is_some());
        assert!(usable(&format!("{one},{other}")).get("a").is_none());
        assert!(usable(&format!("{one},{other},{one}")).get("a").is_none());
    }

    #[test]
    fn malformed_key_set_is_an_error() {
        for json in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[1]}"#,
            "null",
        ] {
            assert!(json.parse::<KeySet>().is_err(), "{json}");
        }
        assert!(r#"{"keys":[]}"#.parse::<KeySet>().unwrap().is_empty());
    }
}
