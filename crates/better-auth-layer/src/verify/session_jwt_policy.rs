//! Which claims a JWT of Better Auth's JWT plugin must have, and which it must not have.

use super::claims::Claims;
use super::registered_claims::RegisteredClaims;
use super::{Subject, Verified};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::CredentialKind;

/// The rules for JWTs that are signed with a key of the JWKS.
///
/// The same keys sign the cookie cache, ID tokens, logout tokens, access tokens for other resources, and whatever the
/// application signs itself, some of them with the same issuer and audience. Type, audience, subject and the absence of
/// the others' claims tell them apart.
#[derive(Debug)]
pub(crate) struct SessionJwtPolicy {
    pub(crate) registered: RegisteredClaims,
    pub(crate) session_id_claim: String,
}

impl SessionJwtPolicy {
    /// Judges a payload whose signature was verified.
    pub(super) fn check(&self, payload: &str, now: Timestamp) -> Result<Verified, InvalidReason> {
        let claims = Claims::parse(payload, &self.session_id_claim)?;
        if let Some(claim) = claims.foreign() {
            return Err(InvalidReason::NotASessionJwt(claim));
        }
        let expires_at = self.registered.check(&claims, now)?;
        Ok(Verified {
            kind: CredentialKind::Jwt,
            subject: Subject::UserId(claims.user_id()?.into()),
            session_id: claims.session_id()?.map(Into::into),
            expires_at,
            claims: Some(payload.into()),
        })
    }
}
