//! A cache of verified JWTs.

use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::verified::Verified;
use crate::clock::Timestamp;
use crate::jwks::{KeyCache, VerificationKey};

/// Bytes of claims that count as one entry; larger claims count as several.
const CLAIMS_PER_ENTRY: usize = 1024;

/// Verified JWTs by the SHA-256 hash of the whole token, signature included.
///
/// Only verified tokens are inserted, so clients cannot fill the cache with invalid ones. A hit
/// requires that the token has not expired and that its key is still current. The hash is
/// collision-resistant and keeps the tokens themselves out of memory.
pub(super) struct JwtCache(Cache<TokenHash, Arc<Entry>, ByClaims, RandomState>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

struct Entry {
    verified: Verified,
    verified_at: Timestamp,
    /// `None` for the secret, which never changes.
    key: Option<UsedKey>,
}

/// The key of the JWKS that verified a token.
pub(super) struct UsedKey {
    pub(super) kid: Box<str>,
    pub(super) key: Arc<VerificationKey>,
}

impl UsedKey {
    /// Whether the `kid` still belongs to the same key. A refreshed key set contains new objects
    /// for unchanged keys.
    fn is_current(&self, keys: &Arc<KeyCache>) -> bool {
        keys.get(&self.kid)
            .is_ok_and(|current| Arc::ptr_eq(&current, &self.key) || current.is_same_as(&self.key))
    }
}

impl JwtCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Cache::with(
            capacity,
            capacity as u64,
            ByClaims,
            RandomState::new(),
            DefaultLifecycle::default(),
        ))
    }

    /// Returns the verified contents if the token would be verified again with the current `keys`.
    pub(super) fn get(
        &self,
        token: TokenHash,
        keys: Option<&Arc<KeyCache>>,
        now: Timestamp,
    ) -> Option<Verified> {
        let entry = self.0.get(&token)?;
        // The token may not have been valid before `verified_at`, to which the clock can be set back.
        let is_valid = entry.verified_at <= now && now < entry.verified.expires_at;
        let is_key_current = match &entry.key {
            None => true,
            Some(used) => keys.is_some_and(|keys| used.is_current(keys)),
        };
        (is_valid && is_key_current).then(|| entry.verified.clone())
    }

    pub(super) fn insert(
        &self,
        token: TokenHash,
        verified: &Verified,
        key: Option<UsedKey>,
        now: Timestamp,
    ) {
        let entry = Entry {
            verified: verified.clone(),
            verified_at: now,
            key,
        };
        self.0.insert(token, Arc::new(entry));
    }
}

impl TokenHash {
    pub(super) fn of(token: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(hash)
    }
}

#[derive(Clone)]
struct ByClaims;

impl Weighter<TokenHash, Arc<Entry>> for ByClaims {
    fn weight(&self, _: &TokenHash, entry: &Arc<Entry>) -> u64 {
        let claims = entry.verified.claims.as_deref().unwrap_or_default();
        (1 + claims.len() / CLAIMS_PER_ENTRY) as u64
    }
}

impl fmt::Debug for JwtCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtCache")
            .field("entries", &self.0.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::identity::CredentialKind;
    use crate::jwks::{JwksOptions, KeySet};
    use crate::verify::Subject;

    /// The key of RFC 8037, appendix A.2, and a different one.
    const KEYS: [&str; 2] = [
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    ];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn verified(claims: usize) -> Verified {
        Verified {
            expires_at: at(20),
            claims: Some("c".repeat(claims).into()),
            ..Verified::new(CredentialKind::SecretJwt, Subject::UserId("usr_ada".into()))
        }
    }

    fn key_cache(x: &str) -> Arc<KeyCache> {
        let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}"#);
        let keys: KeySet = format!(r#"{{"keys":[{key}]}}"#).parse().unwrap();
        let clock = Arc::new(SystemClock);
        Arc::new(KeyCache::new(Arc::new(keys), JwksOptions::new(), clock))
    }

    #[test]
    fn hit_from_verification_to_expiry() {
        let (cache, token) = (JwtCache::new(100), TokenHash::of("a.b.c"));
        cache.insert(token, &verified(2), None, at(10));
        for (now, is_hit) in [(9, false), (10, true), (19, true), (20, false), (21, false)] {
            let hit = cache.get(token, None, at(now));
            assert_eq!(hit.is_some(), is_hit, "{now}");
        }
        assert!(cache.get(TokenHash::of("a.b.d"), None, at(10)).is_none());
        assert!(format!("{cache:?}").contains("entries: 1"));
    }

    #[test]
    fn large_claims_count_as_several_entries() {
        let weight = |claims: usize| {
            let entry = Entry {
                verified: verified(claims),
                verified_at: at(10),
                key: None,
            };
            ByClaims.weight(&TokenHash::of(""), &Arc::new(entry))
        };
        assert_eq!([0, 1023, 1024, 5000].map(weight), [1, 1, 2, 5]);
    }

    #[test]
    fn hit_requires_the_same_key() {
        let [ours, other] = KEYS.map(key_cache);
        let refreshed = key_cache(KEYS[0]);
        let used = |kid: &str, keys: &Arc<KeyCache>| {
            let key = keys.get("k").ok().unwrap();
            let kid = kid.into();
            UsedKey { kid, key }
        };
        assert!(used("k", &ours).is_current(&ours));
        assert!(used("k", &refreshed).is_current(&ours));
        assert!(!used("k", &other).is_current(&ours));
        assert!(!used("another", &ours).is_current(&ours));
        let (cache, token) = (JwtCache::new(100), TokenHash::of("a.b.c"));
        cache.insert(token, &verified(2), Some(used("k", &ours)), at(10));
        assert!(cache.get(token, Some(&refreshed), at(10)).is_some());
        for keys in [None, Some(&other)] {
            assert!(cache.get(token, keys, at(10)).is_none());
        }
    }
}
