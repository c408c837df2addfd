//! Verifies credentials against secrets and public keys.
//!
//! Verification is pure: it does no I/O and never waits. If a public key is missing, it starts a fetch
//! and returns [`VerifyError::KeysPending`]; the authenticator waits and verifies again. The header's
//! `alg` selects the verifier, never the key: `HS256` is only verified with the secret, all other
//! algorithms only with a key of the JWKS.
//!
//! Signatures by public keys use aws-lc-rs directly, because jsonwebtoken does not support ES512 and
//! parses the key again for every token. The claims are checked here as well, because libraries skip
//! claims of the wrong type.

mod claims;
mod claims_policy;
mod cookie_cache;
mod json_object;
mod jws;
mod jwt;
mod jwt_cache;
mod secret_jwt;
mod session_token;
mod verified;
mod verifier;

pub(crate) use self::claims_policy::{JwksJwtPolicy, RegisteredClaims, SecretJwtPolicy};
pub use self::cookie_cache::CookieCache;
pub(crate) use self::cookie_cache::CookieCacheVerifier;
#[cfg(feature = "testing")]
pub(crate) use self::cookie_cache::Strategy;
pub(crate) use self::jwt::{JwksJwtVerifier, JwtVerifier};
pub(crate) use self::secret_jwt::SecretJwtVerifier;
pub(crate) use self::session_token::{SessionTokenVerifier, TokenValidator, has_default_form};
pub(crate) use self::verified::{Subject, Verified, VerifyError};
pub(crate) use self::verifier::Verifier;
