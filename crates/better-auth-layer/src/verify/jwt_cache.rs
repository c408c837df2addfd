//! Tokens that were verified not long ago.

use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::{JwksSignature, Verified};
use crate::clock::Timestamp;
use crate::jwks::VerificationKey;

/// In bytes; a token with more claims takes the place of several.
const CLAIMS_OF_ONE: usize = 1024;

/// What verified tokens say, by the hash of the whole token, signature included.
///
/// Only what was verified gets in, so nobody fills this who has no good tokens. A token is good again as long as nothing
/// has changed that the verdict rests on: it has not expired, and the key that it was verified with is still that key.
/// The hash is one for which nobody finds two texts, so one token cannot pass for another, and no token stays in memory.
pub(super) struct JwtCache(Cache<TokenHash, Arc<KnownJwt>, ByClaims, RandomState>);

/// SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

/// What one of them says.
pub(crate) struct KnownJwt {
    verified: Verified,
    verified_at: Timestamp,
    /// `None`: the secret, which stays what it is.
    key: Option<UsedKey>,
}

/// The key of the JWKS that a token was verified with.
pub(super) struct UsedKey {
    pub(super) kid: Box<str>,
    pub(super) key: Arc<VerificationKey>,
}

impl JwtCache {
    pub(super) fn new(max_entries: usize) -> Self {
        Self(Cache::with(
            max_entries,
            max_entries as u64,
            ByClaims,
            RandomState::new(),
            DefaultLifecycle::default(),
        ))
    }

    /// What the token says, if it would be verified again. `jwks`: the keys as they are now.
    pub(super) fn get(
        &self,
        token: TokenHash,
        jwks: Option<&JwksSignature>,
        now: Timestamp,
    ) -> Option<Arc<KnownJwt>> {
        let known = self.0.get(&token)?;
        // Before it was verified it may not have been valid yet: a clock that is set back makes no token good.
        let is_valid = known.verified_at <= now && now < known.verified.expires_at;
        let is_key_in_use = match &known.key {
            None => true,
            Some(used) => jwks.is_some_and(|jwks| jwks.still_has(&used.kid, &used.key)),
        };
        (is_valid && is_key_in_use).then_some(known)
    }

    pub(super) fn insert(
        &self,
        token: TokenHash,
        verified: &Verified,
        key: Option<UsedKey>,
        now: Timestamp,
    ) {
        let known = KnownJwt {
            verified: verified.clone(),
            verified_at: now,
            key,
        };
        self.0.insert(token, Arc::new(known));
    }
}

impl KnownJwt {
    pub(super) fn verified(&self) -> &Verified {
        &self.verified
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

impl Weighter<TokenHash, Arc<KnownJwt>> for ByClaims {
    fn weight(&self, _: &TokenHash, known: &Arc<KnownJwt>) -> u64 {
        let claims = known.verified.claims.as_deref().unwrap_or_default();
        (1 + claims.len() / CLAIMS_OF_ONE) as u64
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
    use crate::identity::CredentialKind;
    use crate::verify::Subject;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn verified(claims: usize) -> Verified {
        Verified {
            expires_at: at(20),
            claims: Some("c".repeat(claims).into()),
            ..Verified::naming(CredentialKind::SecretJwt, Subject::UserId("usr_ada".into()))
        }
    }

    #[test]
    fn a_token_is_known_from_when_it_was_verified_until_it_ends() {
        let (cache, token) = (JwtCache::new(100), TokenHash::of("a.b.c"));
        cache.insert(token, &verified(2), None, at(10));
        for (now, is_known) in [(9, false), (10, true), (19, true), (20, false), (21, false)] {
            let known = cache.get(token, None, at(now));
            assert_eq!(known.is_some(), is_known, "{now}");
        }
        assert!(cache.get(TokenHash::of("a.b.d"), None, at(10)).is_none());
        assert!(format!("{cache:?}").contains("entries: 1"));
    }

    #[test]
    fn a_token_with_many_claims_takes_the_place_of_several() {
        let weight = |claims: usize| {
            let known = KnownJwt {
                verified: verified(claims),
                verified_at: at(10),
                key: None,
            };
            ByClaims.weight(&TokenHash::of(""), &Arc::new(known))
        };
        assert_eq!([0, 1023, 1024, 5000].map(weight), [1, 1, 2, 5]);
    }
}
