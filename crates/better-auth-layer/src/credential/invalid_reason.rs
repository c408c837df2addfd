//! Why a credential was refused.

use std::fmt;

/// The reason for a `401`, for the log only: the client learns no more than that the credential is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidReason {
    SeveralAuthorizationHeaders,
    AuthorizationMalformed,
    TokenTooLong,
    NotCompactJws,
    HeaderMalformed,
    TypNotAccepted,
    CriticalExtension,
    AlgorithmNotAccepted,
    KeySourceMissing,
    SignatureMismatch,
    ClaimsMalformed,
    ClaimMissing(&'static str),
    ClaimMalformed(&'static str),
    SessionIdMalformed,
    Expired,
    NotYetValid,
    IssuerMismatch,
    AudienceMismatch,
    AudienceUnknown,
    BetterAuthOwnToken,
    NoBinding,
    SubjectMismatch,
    EmailNotVerified,
}

impl InvalidReason {
    /// The name used in logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SeveralAuthorizationHeaders => "several_authorization_headers",
            Self::AuthorizationMalformed => "authorization_malformed",
            Self::TokenTooLong => "token_too_long",
            Self::NotCompactJws => "not_a_compact_jws",
            Self::HeaderMalformed => "header_malformed",
            Self::TypNotAccepted => "typ_not_accepted",
            Self::CriticalExtension => "critical_extension",
            Self::AlgorithmNotAccepted => "algorithm_not_accepted",
            Self::KeySourceMissing => "key_source_missing",
            Self::SignatureMismatch => "signature_mismatch",
            Self::ClaimsMalformed => "claims_malformed",
            Self::ClaimMissing(_) => "claim_missing",
            Self::ClaimMalformed(_) => "claim_malformed",
            Self::SessionIdMalformed => "session_id_malformed",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::AudienceMismatch => "audience_mismatch",
            Self::AudienceUnknown => "audience_unknown",
            Self::BetterAuthOwnToken => "better_auth_own_token",
            Self::NoBinding => "no_binding",
            Self::SubjectMismatch => "subject_mismatch",
            Self::EmailNotVerified => "email_not_verified",
        }
    }

    /// What the operator, or whoever mints the tokens, can do about it.
    pub(crate) const fn remedy(self) -> Option<&'static str> {
        match self {
            Self::KeySourceMissing => Some(
                "the token is not signed with the secret (HS256) and no key source is configured for other algorithms",
            ),
            Self::AudienceUnknown => Some(
                "the token has an `aud`; set BETTER_AUTH_AUDIENCE or the builder's `audience` to the value meant for this service",
            ),
            Self::NoBinding => Some(
                "mint the token with header `typ: JWT` or with a claim `iss` or `sub`, which Better Auth's own mail tokens never have",
            ),
            Self::IssuerMismatch => Some(
                "mint the token with the `iss` that BETTER_AUTH_ISSUER or the builder's `issuer` says",
            ),
            Self::ClaimMissing(_) => Some("mint the token with this claim"),
            _ => None,
        }
    }
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::ClaimMissing(claim) | Self::ClaimMalformed(claim) => write!(f, ": {claim}"),
            _ => Ok(()),
        }
    }
}
