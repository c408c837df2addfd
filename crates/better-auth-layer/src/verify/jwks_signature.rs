//! JWS signatures by the keys of a JWKS.

use std::sync::Arc;

use tokio::sync::watch;

use super::compact_jws::{CompactJws, JoseHeader};
use super::{Refused, VerifyError};
use crate::credential::InvalidReason;
use crate::jwks::{JwsAlgorithm, KeyCache, KeyLookup, VerificationKey};

/// Verifies signatures by the key that the header names. Which algorithm is used is the key's affair: the header may
/// only agree.
#[derive(Clone, Debug)]
pub(crate) struct JwksSignature {
    keys: Arc<KeyCache>,
}

/// A key, or what to wait for.
pub(super) enum KeyStep {
    Key(Arc<VerificationKey>),
    Fetching(watch::Receiver<()>),
}

impl JwksSignature {
    pub(crate) fn new(keys: Arc<KeyCache>) -> Self {
        Self { keys }
    }

    pub(crate) fn cache(&self) -> &Arc<KeyCache> {
        &self.keys
    }

    /// Finds the key that a header names.
    pub(super) fn key(&self, header: &JoseHeader) -> Result<KeyStep, VerifyError> {
        if JwsAlgorithm::from_name(&header.alg).is_none() {
            return Err(refused(InvalidReason::AlgorithmNotAccepted, header));
        }
        match self.keys.get(kid(header)?) {
            KeyLookup::Key(key) => Ok(KeyStep::Key(key)),
            KeyLookup::Fetching(running) => Ok(KeyStep::Fetching(running)),
            KeyLookup::Unknown => Err(refused(InvalidReason::KidUnknown, header)),
            KeyLookup::Unavailable => Err(VerifyError::KeysUnavailable),
        }
    }

    /// Whether a key is still the one that its id stands for. A set that is getting old is fetched again beside it.
    pub(super) fn still_has(&self, kid: &str, key: &Arc<VerificationKey>) -> bool {
        let KeyLookup::Key(current) = self.keys.get(kid) else {
            return false;
        };
        Arc::ptr_eq(&current, key) || current.is_same_as(key)
    }

    /// The key that a header names, once the fetch under way has ended.
    pub(super) async fn fetched_key(
        &self,
        header: &JoseHeader,
        running: watch::Receiver<()>,
    ) -> Result<Arc<VerificationKey>, VerifyError> {
        let key = self.keys.wait(running, kid(header)?).await;
        key.map_err(|_| VerifyError::KeysUnavailable)?
            .ok_or_else(|| refused(InvalidReason::KidUnknown, header))
    }
}

/// The payload, if its signature is good.
pub(super) fn signed_payload(
    jws: CompactJws<'_>,
    header: &JoseHeader,
    key: &VerificationKey,
) -> Result<String, VerifyError> {
    if JwsAlgorithm::from_name(&header.alg) != Some(key.algorithm()) {
        return Err(refused(InvalidReason::KeyAlgorithmMismatch, header));
    }
    let refused = |reason| refused(reason, header);
    let signature = jws.signature().map_err(refused)?;
    if !key.verify(jws.signing_input(), &signature) {
        return Err(refused(InvalidReason::SignatureMismatch));
    }
    String::from_utf8(jws.payload().map_err(refused)?)
        .map_err(|_| refused(InvalidReason::ClaimsMalformed))
}

pub(super) fn kid(header: &JoseHeader) -> Result<&str, VerifyError> {
    let kid = header.kid.as_deref().filter(|kid| !kid.is_empty());
    kid.ok_or_else(|| refused(InvalidReason::KidMissing, header))
}

fn refused(reason: InvalidReason, header: &JoseHeader) -> VerifyError {
    VerifyError::Refused(Refused {
        reason,
        kid: header.kid.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::jwks::{JwksOptions, KeySet};

    /// The key of RFC 8037, appendix A.2, and one that differs.
    const KEYS: [&str; 2] = [
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    ];

    fn signature(x: &str) -> JwksSignature {
        let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}"#);
        let keys: KeySet = format!(r#"{{"keys":[{key}]}}"#).parse().unwrap();
        let cache = KeyCache::new(Arc::new(keys), JwksOptions::new(), Arc::new(SystemClock));
        JwksSignature::new(Arc::new(cache))
    }

    fn key(signature: &JwksSignature) -> Arc<VerificationKey> {
        match signature.keys.get("k") {
            KeyLookup::Key(key) => key,
            _ => panic!("a key that stays"),
        }
    }

    /// A set that was fetched anew has other places in memory, and tokens that were verified stay so.
    #[test]
    fn a_key_is_known_again_by_what_it_is() {
        let [ours, other] = KEYS.map(signature);
        let again = signature(KEYS[0]);
        assert!(ours.still_has("k", &key(&ours)));
        assert!(ours.still_has("k", &key(&again)));
        assert!(!ours.still_has("k", &key(&other)));
        assert!(!ours.still_has("another", &key(&ours)));
    }
}
