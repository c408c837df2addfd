//! Credentials against keys: pure checks that ask no store.

mod claim_policy;
mod claims;
mod compact_jws;
mod json_value;
mod secret_jwt;

use crate::clock::Timestamp;

pub(crate) use self::claim_policy::ClaimPolicy;
pub(crate) use self::secret_jwt::{SecretJwtVerifier, self_check};

/// What a verified secret-signed JWT says.
pub(crate) struct VerifiedToken {
    /// Whom to look up.
    pub(crate) email: String,
    /// What the token says the user id is.
    pub(crate) subject: Option<String>,
    /// The one session that the token is for.
    pub(crate) session_id: Option<String>,
    /// When the token ends.
    pub(crate) expires_at: Timestamp,
    /// The payload as it was signed.
    pub(crate) claims: String,
}
