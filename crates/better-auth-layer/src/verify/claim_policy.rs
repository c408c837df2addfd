//! Which claims a secret-signed token must have, and which it must not have.

use std::time::Duration;

use super::VerifiedToken;
use super::claims::Claims;
use crate::clock::Timestamp;
use crate::credential::InvalidReason;

/// The rules for secret-signed JWTs.
///
/// Better Auth signs tokens of its own with the same secret: mail links, which go to whoever receives the mail, and
/// the cookie cache. A change-of-address token even has the victim's address as `email` while the attacker gets the
/// mail. All of them have the bare header `{"alg":"HS256"}` and none of `sub`, `iss`, `aud` (upstream
/// `crypto/jwt.ts`, `api/routes/email-verification.ts`), so a token must show that it is none of them.
#[derive(Debug)]
pub(crate) struct ClaimPolicy {
    pub(crate) issuer: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) require_audience: bool,
    pub(crate) leeway: Duration,
    pub(crate) session_id_claim: String,
    pub(crate) require_binding: bool,
}

impl ClaimPolicy {
    /// Judges a payload whose signature was verified.
    pub(super) fn check(
        &self,
        payload: String,
        has_typ: bool,
        now: Timestamp,
    ) -> Result<VerifiedToken, InvalidReason> {
        let claims = Claims::parse(&payload, &self.session_id_claim)?;
        if claims.is_better_auth_artefact() {
            return Err(InvalidReason::BetterAuthOwnToken);
        }
        let expires_at = self.check_times(&claims, now)?;
        self.check_issuer(&claims)?;
        self.check_audience(&claims)?;
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
        let email = claims.email()?.to_owned();
        let subject = subject.map(str::to_owned);
        let session_id = claims.session_id()?.map(str::to_owned);
        Ok(VerifiedToken {
            email,
            subject,
            session_id,
            expires_at,
            claims: payload,
        })
    }

    fn check_times(&self, claims: &Claims<'_>, now: Timestamp) -> Result<Timestamp, InvalidReason> {
        // RFC 7519 §4.1.4: not accepted on or after `exp`; §4.1.5: not before `nbf`. `iat` only has to be a date.
        let expires_at = claims.expires_at()?.saturating_add(self.leeway);
        if expires_at <= now {
            return Err(InvalidReason::Expired);
        }
        if claims
            .not_before()?
            .is_some_and(|not_before| not_before > now.saturating_add(self.leeway))
        {
            return Err(InvalidReason::NotYetValid);
        }
        claims.issued_at()?;
        Ok(expires_at)
    }

    fn check_issuer(&self, claims: &Claims<'_>) -> Result<(), InvalidReason> {
        // The claim's type is judged even where nobody asks for an issuer.
        let issuer = claims.issuer()?;
        match (&self.issuer, issuer) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(InvalidReason::ClaimMissing("iss")),
            (Some(expected), Some(issuer)) if expected == issuer => Ok(()),
            (Some(_), Some(_)) => Err(InvalidReason::IssuerMismatch),
        }
    }

    /// RFC 7519 §4.1.3: a token that names its audiences is for those alone. Ours are the configured ones, else the
    /// issuer, which is what Better Auth itself writes for an audience.
    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), InvalidReason> {
        let Some(audience) = claims.audience()? else {
            return if self.require_audience {
                Err(InvalidReason::ClaimMissing("aud"))
            } else {
                Ok(())
            };
        };
        let expected = if self.audiences.is_empty() {
            self.issuer.as_slice()
        } else {
            self.audiences.as_slice()
        };
        if expected.is_empty() {
            return Err(InvalidReason::AudienceUnknown);
        }
        let ours = audience
            .iter()
            .any(|one| expected.iter().any(|expected| expected == one));
        if ours {
            Ok(())
        } else {
            Err(InvalidReason::AudienceMismatch)
        }
    }
}
