//! The environment of the library's key cache: key sets are numbers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::key_set::KeySet;
use crate::clock::Timestamp;
use crate::store::user_store::BoxFuture;

#[rustfmt::skip]
#[path = "../../crates/better-auth-layer/src/jwks/key_cache.rs"]
pub(crate) mod key_cache;

pub(crate) mod key_set {
    use std::sync::Arc;

    use super::VerificationKey;

    /// The key set of a fetch, by the number of the fetch.
    pub(crate) struct KeySet(pub(crate) u64);

    pub(crate) struct UsableKeys {
        key: Arc<VerificationKey>,
    }

    /// Sets from this number on contain a second key.
    pub(crate) const ROTATED: u64 = 2;

    impl KeySet {
        pub(crate) fn usable(&self, _: Option<()>) -> UsableKeys {
            UsableKeys {
                key: Arc::new(VerificationKey { set: self.0 }),
            }
        }

        pub(crate) fn len(&self) -> usize {
            1
        }
    }

    impl UsableKeys {
        pub(crate) fn get(&self, kid: &str) -> Option<&Arc<VerificationKey>> {
            let is_there = match kid {
                "first" => true,
                "second" => self.key.set >= ROTATED,
                _ => false,
            };
            is_there.then_some(&self.key)
        }

        pub(crate) fn len(&self) -> usize {
            1
        }
    }
}

/// A key, by the number of its set.
#[derive(Debug)]
pub(crate) struct VerificationKey {
    pub(crate) set: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct JwksOptions {
    pub(crate) refresh_after: Duration,
    pub(crate) max_stale: Duration,
    pub(crate) cooldown: Duration,
    pub(crate) retry_after_failure: Duration,
    pub(crate) fetch_timeout: Duration,
    pub(crate) rsa_algorithm: Option<()>,
}

#[derive(Debug)]
pub(crate) struct KeySourceError;

impl KeySourceError {
    pub(crate) fn new(_: impl fmt::Display) -> Self {
        Self
    }
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys could not be fetched")
    }
}

pub(crate) trait DynKeySource: Send + Sync + 'static {
    fn fetch(self: Arc<Self>) -> BoxFuture<Result<KeySet, KeySourceError>>;
    fn static_keys(&self) -> Option<KeySet>;
    fn server_time(&self) -> Option<Timestamp>;
}
