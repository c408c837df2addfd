//! The rules for `exp`, `nbf`, `iat`, `iss` and `aud`.

use std::time::Duration;

use super::claims::Claims;
use crate::clock::Timestamp;
use crate::credential::InvalidReason;

/// What the registered claims of RFC 7519 §4.1 must be.
#[derive(Clone, Debug)]
pub(crate) struct RegisteredClaims {
    pub(crate) issuer: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) require_audience: bool,
    pub(crate) leeway: Duration,
}

impl RegisteredClaims {
    /// Judges the claims. `Ok`: when the token ends, with the leeway.
    pub(super) fn check(
        &self,
        claims: &Claims<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, InvalidReason> {
        let expires_at = self.check_times(claims, now)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        Ok(expires_at)
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
