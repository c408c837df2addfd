//! A set of public keys.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::jwk::{Jwk, KeyProblem};
use super::{JwsAlgorithm, KeySource, KeySourceError, VerificationKey};
use crate::clock::Timestamp;

/// More keys than any issuer has at a time; a set is searched, never tried.
const MOST_KEYS: usize = 200;

/// A JSON Web Key Set (RFC 7517 §5): what Better Auth serves at `/api/auth/jwks`.
///
/// It is a [`KeySource`] itself, of keys that never change:
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
/// A key that cannot be used (symmetric, weak, not for signatures, of an unknown type, with an `alg` that contradicts
/// its type) is left out with a line in the log, and the others are used; so are all keys that share a `kid`.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Jwk>,
    /// What time it was where they come from.
    said_at: Option<Timestamp>,
}

impl KeySet {
    /// Reads a set.
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] for anything but a JSON object with an array `keys` of objects, and for more than 200 keys.
    pub fn from_json(json: &[u8]) -> Result<Self, KeySourceError> {
        let set: Value =
            serde_json::from_slice(json).map_err(|_| KeySourceError::new("this is not JSON"))?;
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err(KeySourceError::new("this is no JSON Web Key Set"));
        };
        if keys.len() > MOST_KEYS {
            return Err(KeySourceError::new("these are more than 200 keys"));
        }
        let keys = keys.iter().map(|key| key.as_object().cloned());
        let keys: Option<Vec<_>> = keys.map(|members| members.map(Jwk::new)).collect();
        let keys = keys.ok_or_else(|| KeySourceError::new("this is no JSON Web Key Set"))?;
        Ok(Self {
            keys,
            said_at: None,
        })
    }

    /// Adds a key that is kept apart from its id and its algorithm, as in Better Auth's table.
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

    /// How many keys there are, usable or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn said_at(mut self, time: Option<Timestamp>) -> Self {
        self.said_at = time;
        self
    }

    pub(super) fn time_of_issuer(&self) -> Option<Timestamp> {
        self.said_at
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

impl KeySource for KeySet {
    async fn fetch(&self) -> Result<Self, KeySourceError> {
        Ok(self.clone())
    }

    fn static_keys(&self) -> Option<Self> {
        Some(self.clone())
    }
}

/// Keys by their ids. `None`: two different keys have the id, and neither is trusted.
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
                let is_same = occupied
                    .get()
                    .as_ref()
                    .is_some_and(|other| key.is_same_as(other));
                if is_same {
                    return Ok(());
                }
                occupied.insert(None);
                Err(KeyProblem::TwoOfOneKid)
            }
        }
    }

    pub(super) fn get(&self, kid: &str) -> Option<&Arc<VerificationKey>> {
        self.0.get(kid)?.as_ref()
    }

    /// How many keys there are.
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
    fn a_key_that_cannot_be_used_takes_no_other_with_it() {
        for bad in [
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
            let keys = usable(&format!(r#"{bad},{{"kid":"a",{ED25519}}}"#));
            assert!(keys.get("a").is_some(), "{bad}");
            assert_eq!(keys.len(), 1, "{bad}");
        }
    }

    #[test]
    fn what_a_key_may_say_about_itself() {
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
    fn two_different_keys_of_one_kid_are_none() {
        let key = |key: &str| format!(r#"{{"kid":"a",{key}}}"#);
        let (one, other) = (key(ED25519), key(OTHER));
        assert!(usable(&format!("{one},{one}")).get("a").is_some());
        assert!(usable(&format!("{one},{other}")).get("a").is_none());
        assert!(usable(&format!("{one},{other},{one}")).get("a").is_none());
    }

    #[test]
    fn what_is_no_key_set_is_an_error() {
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
