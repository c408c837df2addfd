//! Settings that make no sense, and those that deserve a warning.

use std::time::Duration;

use super::BetterAuthLayerBuilder;
use crate::config_error::ConfigError;
use crate::credential::SourceKind;
use crate::diagnostics::Check;
use crate::secret::Secret;

/// More would make `exp` a suggestion.
const MAXIMUM_LEEWAY: Duration = Duration::from_secs(300);

/// Less would keep the store busy with nothing else.
const MINIMUM_RECHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The claims with a meaning of their own, which cannot also name the session.
const RESERVED_CLAIMS: [&str; 15] = [
    "exp",
    "nbf",
    "iat",
    "iss",
    "aud",
    "sub",
    "email",
    "updateTo",
    "requestType",
    "session",
    "azp",
    "client_id",
    "events",
    "nonce",
    "at_hash",
];

impl BetterAuthLayerBuilder {
    pub(super) fn check_limits(&self) -> Result<(), ConfigError> {
        if self.leeway > MAXIMUM_LEEWAY {
            return Err(ConfigError::new(
                "leeway",
                format!("is {} s", self.leeway.as_secs()),
                "use at most 300 s and correct the clocks",
            ));
        }
        if self.lookup_timeout.is_zero() {
            return Err(ConfigError::new(
                "lookup_timeout",
                "is zero",
                "give the store some time to answer, such as ten seconds",
            ));
        }
        if self.recheck_interval < MINIMUM_RECHECK_INTERVAL {
            return Err(ConfigError::new(
                "recheck_interval",
                "is less than 10 ms",
                "give it some time, such as five seconds: for every open stream the store is asked that often",
            ));
        }
        Ok(())
    }

    pub(super) fn check_texts(&self) -> Result<(), ConfigError> {
        for (setting, values) in [
            ("issuer", self.issuer.as_slice()),
            ("jwks_issuer", self.jwks_issuer.as_slice()),
            ("audience", &self.audiences),
        ] {
            if values.iter().any(String::is_empty) {
                return Err(ConfigError::new(
                    setting,
                    "is empty",
                    "leave it out or write the text that the tokens have",
                ));
            }
        }
        if self.require_audience && self.audiences.is_empty() && self.issuer.is_none() {
            return Err(ConfigError::new(
                "require_audience",
                "is set, but no audience is",
                "add `audience` with the value that means this service",
            ));
        }
        let claim = self.session_id_claim.as_str();
        if claim.is_empty() || RESERVED_CLAIMS.contains(&claim) {
            return Err(ConfigError::new(
                "session_id_claim",
                format!("is `{claim}`, which cannot name a session"),
                "use `sid` or a claim of your own",
            ));
        }
        let is_token = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"=;,\"".contains(&byte))
        };
        if !is_token(&self.session_cookie()) {
            return Err(ConfigError::new(
                "session_cookie_name",
                "is no name of a cookie",
                "write the name that the browser shows, without `__Secure-`",
            ));
        }
        Ok(())
    }

    /// A source that can never be used, or a credential that nobody looks for, is a mistake.
    pub(super) fn check_sources(&self) -> Result<(), ConfigError> {
        let wrong = |problem: &'static str, remedy: &'static str| {
            Err(ConfigError::new("credential_sources", problem, remedy))
        };
        let all = || self.sources.iter().flatten().chain(&self.extra_sources);
        let looks = |is_it: fn(&SourceKind) -> bool| all().any(|source| is_it(&source.0));
        let as_usual = self.sources.is_none();
        if !as_usual && all().next().is_none() {
            return wrong(
                "is empty, and nobody could ever come in",
                "name a source, or leave it out for the usual ones",
            );
        }
        if looks(SourceKind::is_nameless) {
            return wrong(
                "has a source with an empty name",
                "write the prefix of the subprotocol, or the name of the parameter",
            );
        }
        let accepts_api_keys = self.api_keys.is_some();
        let looks_for_api_keys =
            looks(|place| matches!(place, SourceKind::ApiKey)) || as_usual && accepts_api_keys;
        if looks_for_api_keys != accepts_api_keys {
            return wrong(
                "has `api_key` and no `api_keys` are accepted, or the other way round",
                "call `api_keys` and put `CredentialSource::api_key` among the sources, or neither",
            );
        }
        if looks(|place| matches!(place, SourceKind::SessionCookie))
            && !self.accepts_session_cookies()
        {
            return wrong(
                "has `session_cookie`, but session cookies are not accepted",
                "set the secret, or leave the source out",
            );
        }
        Ok(())
    }

    fn accepts_session_cookies(&self) -> bool {
        self.secrets.is_some() && self.accept_session_tokens
    }

    /// What there is to say about settings that can be used, and logs what is to be mended.
    pub(super) fn advise(&self) -> Vec<Check> {
        let Some(secrets) = &self.secrets else {
            return Vec::new();
        };
        let is_short = secrets
            .accepted(self.accept_previous_secrets)
            .any(Secret::is_shorter_than_recommended);
        let mut advice = vec![if is_short {
            Check::warning(
                "secret",
                "the secret has fewer than 32 bytes and can be found by trial from one token",
            )
            .with_remedy("make a longer one, such as with `openssl rand -base64 32`")
        } else {
            Check::ok(
                "secret",
                "has 32 bytes or more, and is not the public default",
            )
        }];
        if self.issuer.is_some() && self.accept_secret_jwts {
            advice.push(Check::ok("issuer", "secret-signed tokens must have it"));
        } else if self.accept_secret_jwts {
            advice.push(
                Check::warning("issuer", "secret-signed tokens of every issuer are accepted").with_remedy(
                    "set BETTER_AUTH_ISSUER or the builder's `issuer` and mint tokens with `iss`, or `without_secret_jwts` where none are minted",
                ),
            );
        }
        for finding in &advice {
            if let Some(remedy) = finding.remedy() {
                tracing::warn!("{}; {remedy}", finding.message());
            }
        }
        advice
    }
}
