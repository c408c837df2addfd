//! Which claims a JWT must have, and which mark another kind of token.

use std::time::Duration;

use super::claims::Claims;
use super::verified::{Subject, Verified};
use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::CredentialKind;

/// The claims policy for JWTs that are signed with the secret.
///
/// Better Auth signs other tokens with the same secret: the cookie cache, and mail links, which
/// any recipient of the mail can use. A change-of-email token even contains the victim's `email`
/// while the attacker receives the mail. All of them have the bare header
/// `{"alg":"HS256"}` and none of `sub`, `iss`, `aud` (upstream `crypto/jwt.ts`,
/// `api/routes/email-verification.ts`), so a token must have one of these or a `typ`.
#[derive(Debug)]
pub(crate) struct SecretJwtPolicy {
    pub(crate) registered: RegisteredClaims,
    pub(crate) session_id_claim: String,
    pub(crate) require_binding: bool,
}

impl SecretJwtPolicy {
    /// Checks a payload whose signature was verified.
    pub(super) fn check(
        &self,
        payload: &str,
        has_typ: bool,
        now: Timestamp,
    ) -> Result<Verified, InvalidReason> {
        let claims = Claims::parse(payload, &self.session_id_claim)?;
        if claims.is_internal() {
            return Err(InvalidReason::BetterAuthOwnToken);
        }
        let expires_at = self.registered.check(&claims, now)?;
        let sub = claims.subject()?;
        let is_bound = has_typ
            || sub.as_ref().is_some_and(|sub| !sub.is_empty())
            || claims.issuer()?.is_some_and(|issuer| !issuer.is_empty())
            || claims
                .audience()?
                .is_some_and(|audience| !audience.as_slice().is_empty());
        if self.require_binding && !is_bound {
            return Err(InvalidReason::NoBinding);
        }
        let subject = Subject::Email {
            email: claims.email()?.into(),
            sub: sub.map(Into::into),
        };
        Ok(Verified {
            session_id: claims.session_id()?.map(Into::into),
            expires_at,
            claims: Some(payload.into()),
            ..Verified::new(CredentialKind::SecretJwt, subject)
        })
    }
}

/// The claims policy for JWTs that are signed with a key of the JWKS.
///
/// The same keys sign the cookie cache, ID tokens, logout tokens, access tokens for other resources,
/// and any token that the application signs through Better Auth, some of them with the same issuer
/// and audience. `typ`, `aud`, `sub` and the absence of the other tokens' claims tell them apart.
#[derive(Debug)]
pub(crate) struct JwksJwtPolicy {
    pub(crate) registered: RegisteredClaims,
    pub(crate) session_id_claim: String,
}

impl JwksJwtPolicy {
    /// Checks a payload.
    pub(super) fn check(&self, payload: &str, now: Timestamp) -> Result<Verified, InvalidReason> {
        let claims = Claims::parse(payload, &self.session_id_claim)?;
        if let Some(claim) = claims.other_token_claim() {
            return Err(InvalidReason::NotASessionJwt(claim));
        }
        let expires_at = self.registered.check(&claims, now)?;
        let subject = Subject::UserId(claims.user_id()?.into());
        Ok(Verified {
            session_id: claims.session_id()?.map(Into::into),
            expires_at,
            claims: Some(payload.into()),
            ..Verified::new(CredentialKind::Jwt, subject)
        })
    }
}

/// The expected values of the registered claims (RFC 7519 §4.1).
#[derive(Clone, Debug)]
pub(crate) struct RegisteredClaims {
    pub(crate) issuer: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) require_audience: bool,
    pub(crate) leeway: Duration,
}

impl RegisteredClaims {
    /// Returns when the token expires, leeway included.
    fn check(&self, claims: &Claims<'_>, now: Timestamp) -> Result<Timestamp, InvalidReason> {
        let expires_at = self.check_times(claims, now)?;
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        Ok(expires_at)
    }

    fn check_times(&self, claims: &Claims<'_>, now: Timestamp) -> Result<Timestamp, InvalidReason> {
        // RFC 7519 §4.1.4: not accepted on or after `exp`; §4.1.5: not before `nbf`. `iat` only has
        // to be a date.
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
        // A malformed `iss` is rejected even if no issuer is configured.
        let issuer = claims.issuer()?;
        match (&self.issuer, issuer) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(InvalidReason::ClaimMissing("iss")),
            (Some(expected), Some(issuer)) if **expected == issuer => Ok(()),
            (Some(_), Some(_)) => Err(InvalidReason::IssuerMismatch),
        }
    }

    /// RFC 7519 §4.1.3: a token with `aud` is only for those audiences. The accepted audiences are
    /// the configured ones, or else the issuer, which is Better Auth's own default for `aud`.
    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), InvalidReason> {
        let Some(audience) = claims.audience()? else {
            return if self.require_audience {
                Err(InvalidReason::ClaimMissing("aud"))
            } else {
                Ok(())
            };
        };
        let accepted = if self.audiences.is_empty() {
            self.issuer.as_slice()
        } else {
            self.audiences.as_slice()
        };
        if accepted.is_empty() {
            return Err(InvalidReason::AudienceUnknown);
        }
        let audience = audience.as_slice();
        if audience
            .iter()
            .any(|one| accepted.iter().any(|ours| ours == one))
        {
            Ok(())
        } else {
            Err(InvalidReason::AudienceMismatch)
        }
    }
}
