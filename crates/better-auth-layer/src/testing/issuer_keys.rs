//! The issuer's keys, and where the layer fetches them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::KeysFault;
use super::json_object::JsonObject;
use super::signing_key::SigningKey;
use crate::jwks::{JwsAlgorithm, KeySet, KeySource, KeySourceError};

/// What a proxy answers when the server behind it is gone.
const ERROR_PAGE: &[u8] = b"<html><body><h1>502 Bad Gateway</h1></body></html>";

/// Key pairs of one algorithm. The last one signs, all of them are published.
#[derive(Debug)]
pub(super) struct IssuerKeys {
    algorithm: JwsAlgorithm,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    old: Vec<Arc<SigningKey>>,
    /// `None`: nobody has needed it yet.
    current: Option<Arc<SigningKey>>,
    fault: Option<KeysFault>,
    fetches: usize,
}

impl IssuerKeys {
    pub(super) fn new(algorithm: JwsAlgorithm) -> Self {
        Self {
            algorithm,
            state: Mutex::default(),
        }
    }

    /// The key that signs.
    pub(super) fn current(&self) -> Arc<SigningKey> {
        self.current_of(&mut self.state())
    }

    /// A key that is not the issuer's.
    pub(super) fn stranger(&self) -> SigningKey {
        SigningKey::generate(self.algorithm)
    }

    /// Signs with a new key from now on.
    pub(super) fn rotate(&self) {
        let mut state = self.state();
        let old = self.current_of(&mut state);
        state.old.push(old);
        state.current = None;
        self.current_of(&mut state);
    }

    /// Publishes the key that signs and no other.
    pub(super) fn retire_old(&self) {
        self.state().old.clear();
    }

    pub(super) fn set_fault(&self, fault: Option<KeysFault>) {
        self.state().fault = fault;
    }

    pub(super) fn fetches(&self) -> usize {
        self.state().fetches
    }

    /// The document that Better Auth serves at `/api/auth/jwks`.
    pub(super) fn to_json(&self) -> String {
        let mut state = self.state();
        let current = self.current_of(&mut state);
        let keys = state.old.iter().chain([&current]).map(|key| key.jwk());
        let keys: Vec<JsonObject> = keys.collect();
        JsonObject::new().with("keys", keys).to_json()
    }

    /// Made when it is first needed, since RSA is slow.
    fn current_of(&self, state: &mut State) -> Arc<SigningKey> {
        let key = state
            .current
            .get_or_insert_with(|| Arc::new(self.stranger()));
        Arc::clone(key)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeySource for IssuerKeys {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let fault = {
            let mut state = self.state();
            state.fetches += 1;
            state.fault
        };
        match fault {
            None => {}
            Some(KeysFault::Unavailable) => {
                return Err(KeySourceError::new("the test has broken the key set"));
            }
            Some(KeysFault::Slow(time)) => tokio::time::sleep(time).await,
            Some(KeysFault::Garbage) => return KeySet::from_json(ERROR_PAGE),
            Some(KeysFault::Empty) => return KeySet::from_json(br#"{"keys":[]}"#),
        }
        KeySet::from_json(self.to_json().as_bytes())
    }
}
