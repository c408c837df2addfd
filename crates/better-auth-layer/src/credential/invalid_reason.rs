//! Why a credential is not valid.

use std::fmt;

/// The reason for a `401`. It is only logged: the response does not reveal it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidReason {
    SeveralAuthorizationHeaders,
    AuthorizationMalformed,
    SeveralTokens,
    TokenMalformed,
    SeveralApiKeys,
    ApiKeyMalformed,
    ApiKeyUnknown,
    ApiKeyDisabled,
    ApiKeyExpired,
    ApiKeyUsedUp,
    ApiKeyOfOtherConfiguration,
    SeveralCookies,
    CookieMalformed,
    CookieCacheMalformed,
    CookieCacheOfOtherSession,
    CookieCacheOfOtherVersion,
    CookieCacheSessionEnded,
    TokenTooLong,
    NotCompactJws,
    HeaderMalformed,
    TypNotAccepted,
    CriticalExtension,
    AlgorithmNotAccepted,
    SecretMissing,
    KeySourceMissing,
    KidMissing,
    KidUnknown,
    KeyAlgorithmMismatch,
    SignatureMismatch,
    SignedSessionTokenMalformed,
    SessionTokenMalformed,
    SessionTokenNotSigned,
    SessionTokenNotAccepted,
    SessionTokenUnknown,
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
    NotASessionJwt(&'static str),
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
            Self::SeveralTokens => "several_tokens",
            Self::TokenMalformed => "token_malformed",
            Self::SeveralApiKeys => "several_api_keys",
            Self::ApiKeyMalformed => "api_key_malformed",
            Self::ApiKeyUnknown => "api_key_unknown",
            Self::ApiKeyDisabled => "api_key_disabled",
            Self::ApiKeyExpired => "api_key_expired",
            Self::ApiKeyUsedUp => "api_key_used_up",
            Self::ApiKeyOfOtherConfiguration => "api_key_of_other_configuration",
            Self::SeveralCookies => "several_cookies",
            Self::CookieMalformed => "cookie_malformed",
            Self::CookieCacheMalformed => "cookie_cache_malformed",
            Self::CookieCacheOfOtherSession => "cookie_cache_of_other_session",
            Self::CookieCacheOfOtherVersion => "cookie_cache_of_other_version",
            Self::CookieCacheSessionEnded => "cookie_cache_session_ended",
            Self::TokenTooLong => "token_too_long",
            Self::NotCompactJws => "not_a_compact_jws",
            Self::HeaderMalformed => "header_malformed",
            Self::TypNotAccepted => "typ_not_accepted",
            Self::CriticalExtension => "critical_extension",
            Self::AlgorithmNotAccepted => "algorithm_not_accepted",
            Self::SecretMissing => "secret_missing",
            Self::KeySourceMissing => "key_source_missing",
            Self::KidMissing => "kid_missing",
            Self::KidUnknown => "kid_unknown",
            Self::KeyAlgorithmMismatch => "key_algorithm_mismatch",
            Self::SignatureMismatch => "signature_mismatch",
            Self::SignedSessionTokenMalformed => "signed_session_token_malformed",
            Self::SessionTokenMalformed => "session_token_malformed",
            Self::SessionTokenNotSigned => "session_token_not_signed",
            Self::SessionTokenNotAccepted => "session_token_not_accepted",
            Self::SessionTokenUnknown => "session_token_unknown",
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
            Self::NotASessionJwt(_) => "not_a_session_jwt",
            Self::NoBinding => "no_binding",
            Self::SubjectMismatch => "subject_mismatch",
            Self::EmailNotVerified => "email_not_verified",
        }
    }

    /// The kind of credential, for metrics, if extraction fails for this reason.
    pub(crate) const fn credential(self) -> &'static str {
        match self {
            Self::SeveralApiKeys | Self::ApiKeyMalformed => "api_key",
            Self::SeveralCookies | Self::CookieMalformed => "session_cookie",
            _ => "bearer",
        }
    }

    /// How the operator, or the application that mints the tokens, can fix the problem.
    pub(crate) const fn remedy(self) -> Option<&'static str> {
        match self {
            Self::KeySourceMissing => Some(
                "the token is signed with a key of Better Auth's JWKS; set BETTER_AUTH_URL or the builder's `base_url` (or BETTER_AUTH_JWKS_URL) to locate the keys",
            ),
            Self::SecretMissing => Some(
                "the credential is signed with the deployment's secret; set BETTER_AUTH_SECRET or the builder's `secret`",
            ),
            Self::KidUnknown => Some(
                "the issuer's JWKS has no key with this id; check that BETTER_AUTH_URL is the deployment that issued the token",
            ),
            Self::SessionTokenNotSigned => Some(
                "send the value of the response header `set-auth-token`, which is signed, or accept raw tokens with the builder's `accept_raw_session_tokens`",
            ),
            Self::SessionTokenUnknown => Some(
                "the session has ended or is stored elsewhere; with a secondary storage, Better Auth stores sessions in the database only if `storeSessionInDatabase` is set",
            ),
            Self::AudienceUnknown => Some(
                "the token has an `aud`; set BETTER_AUTH_AUDIENCE or the builder's `audience` to the value meant for this service",
            ),
            Self::NoBinding => Some(
                "mint the token with header `typ: JWT` or with a claim `iss` or `sub`, which Better Auth's own mail tokens do not have",
            ),
            Self::IssuerMismatch => Some(
                "the token's `iss` is not the configured issuer: BETTER_AUTH_ISSUER for tokens signed with the secret, the origin of BETTER_AUTH_URL (or BETTER_AUTH_JWKS_ISSUER) for tokens signed with a key of the JWKS",
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
            Self::ClaimMissing(claim)
            | Self::ClaimMalformed(claim)
            | Self::NotASessionJwt(claim) => write!(f, ": {claim}"),
            _ => Ok(()),
        }
    }
}
