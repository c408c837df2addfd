//! Which claims a secret-signed token must have, and which it must not have.

use super::claims::Claims;
use super::registered_claims::RegisteredClaims;
use super::{Subject, Verified};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::CredentialKind;

/// The rules for secret-signed JWTs.
///
/// Better Auth signs tokens of its own with the same secret: mail links, which go to whoever receives the mail, and
/// the cookie cache. A change-of-address token even has the victim's address as `email` while the attacker gets the
/// mail. All of them have the bare header `{"alg":"HS256"}` and none of `sub`, `iss`, `aud` (upstream
/// `crypto/jwt.ts`, `api/routes/email-verification.ts`), so a token must show that it is none of them.
#[derive(Debug)]
pub(crate) struct ClaimPolicy {
    pub(crate) registered: RegisteredClaims,
    pub(crate) session_id_claim: String,
    pub(crate) require_binding: bool,
}

impl ClaimPolicy {
    /// Judges a payload whose signature was verified.
    pub(super) fn check(
        &self,
        payload: &str,
        has_typ: bool,
        now: Timestamp,
    ) -> Result<Verified, InvalidReason> {
        let claims = Claims::parse(payload, &self.session_id_claim)?;
        if claims.is_better_auth_artefact() {
            return Err(InvalidReason::BetterAuthOwnToken);
        }
        let expires_at = self.registered.check(&claims, now)?;
        let subject = claims.subject()?;
        let bound = has_typ
            || subject.is_some_and(|subject| !subject.is_empty())
            || claims.issuer()?.is_some_and(|issuer| !issuer.is_empty())
            || claims
                .audience()?
                .is_some_and(|audience| !audience.is_empty());
        if self.require_binding && !bound {
            return Err(InvalidReason::NoBinding);
        }
        Ok(Verified {
            kind: CredentialKind::SecretJwt,
            subject: Subject::Email {
                address: claims.email()?.into(),
                subject: subject.map(Into::into),
            },
            session_id: claims.session_id()?.map(Into::into),
            expires_at,
            claims: Some(payload.into()),
        })
    }
}
