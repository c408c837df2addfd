//! Origin patterns in the syntax of Better Auth's `trustedOrigins`.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::config_error::ConfigError;

/// An origin whose pages may send the session cookie, or a pattern of such origins.
///
/// The syntax is that of Better Auth's `trustedOrigins` and `BETTER_AUTH_TRUSTED_ORIGINS` (upstream
/// `auth/trusted-origins.ts`):
///
/// | pattern | trusts |
/// |---|---|
/// | `https://app.example.com` | that origin: scheme, host and port |
/// | `https://*.example.com` | every subdomain, with this scheme |
/// | `*.example.com`, `localhost:*` | the same with any scheme |
/// | `exp://`, `exp://**`, `myapp://host` | the custom scheme of an app |
///
/// `*` and `**` match any text, `?` matches one character, `\` escapes the next character. A numeric
/// pattern such as `192.168.*.*` matches only hosts that are IPv4 numbers.
///
/// ```
/// use better_auth_layer::csrf::TrustedOrigin;
///
/// let pattern: TrustedOrigin = "https://*.example.com".parse()?;
/// assert!(pattern.matches("https://shop.example.com"));
/// assert!(!pattern.matches("https://example.com.evil.test"));
/// assert!(!pattern.matches("null"));
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TrustedOrigin {
    pattern: String,
}

impl FromStr for TrustedOrigin {
    type Err = ConfigError;

    /// # Errors
    ///
    /// [`ConfigError`] if the pattern is empty, trusts every origin, or is a URL with more than an
    /// origin, which would never match.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let invalid = |problem: &'static str| {
            ConfigError::new(
                "trusted_origin",
                problem,
                "write an origin such as `https://app.example.com` or a pattern such as `https://*.example.com`",
            )
        };
        let pattern = text.trim();
        if pattern.is_empty() {
            return Err(invalid("is empty"));
        }
        let authority = pattern
            .split_once("://")
            .map_or(pattern, |(_, authority)| authority);
        // A custom scheme identifies the app, so its host may be a wildcard.
        let is_app_scheme = pattern.split_once("://").is_some_and(|(scheme, _)| {
            !matches!(scheme, "http" | "https") && !has_wildcard(scheme)
        });
        let host = authority.split(':').next().unwrap_or_default();
        if !is_app_scheme
            && !authority.is_empty()
            && host.chars().all(|character| "*?.".contains(character))
        {
            return Err(invalid("trusts every origin"));
        }
        if !has_wildcard(pattern) && !pattern.contains("://") {
            return Err(invalid("has neither a scheme nor a wildcard"));
        }
        if is_web(pattern) && (authority.is_empty() || authority.contains('/')) {
            return Err(invalid("has no host, or a path or a slash after it"));
        }
        Ok(Self {
            pattern: pattern.to_owned(),
        })
    }
}

impl TrustedOrigin {
    /// Trusts exactly one origin.
    pub(crate) fn exactly(origin: &str) -> Self {
        Self {
            pattern: origin.to_owned(),
        }
    }

    /// Whether an `Origin` header's value is trusted. `null` never is.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        let pattern = self.pattern.as_str();
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        if authority.contains(['/', '?', '#', '@', '\\'])
            || origin.chars().any(|c| c.is_control() || c.is_whitespace())
        {
            return false;
        }
        let Some((pattern_scheme, pattern_authority)) = pattern.split_once("://") else {
            return !authority.is_empty()
                && wildcard_match(pattern, authority)
                && is_ip_if_numeric(pattern, authority);
        };
        if is_web(origin) {
            return if has_wildcard(pattern) {
                wildcard_match(pattern, origin) && is_ip_if_numeric(pattern_authority, authority)
            } else {
                pattern == origin
            };
        }
        // A custom scheme. A pattern without an authority trusts the scheme.
        let pattern_authority = pattern_authority
            .split_once('/')
            .map_or(pattern_authority, |(authority, _)| authority);
        scheme.eq_ignore_ascii_case(pattern_scheme)
            && (pattern_authority.is_empty()
                || wildcard_match(
                    &pattern_authority.to_ascii_lowercase(),
                    &authority.to_ascii_lowercase(),
                ) && is_ip_if_numeric(pattern_authority, authority))
    }
}

impl fmt::Debug for TrustedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrustedOrigin").field(&self.pattern).finish()
    }
}

fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

fn is_web(origin: &str) -> bool {
    origin.starts_with("https://") || origin.starts_with("http://")
}

/// For a numeric pattern, whether the host is an IPv4 number: `192.168.*` must not match
/// `192.168.evil.example`. True for other patterns.
fn is_ip_if_numeric(pattern_authority: &str, authority: &str) -> bool {
    let host = |authority: &str| authority.split(':').next().unwrap_or_default().to_owned();
    let pattern_host = host(pattern_authority);
    let is_range = pattern_host.bytes().any(|byte| byte.is_ascii_digit())
        && pattern_host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"*?.".contains(&byte));
    !is_range || host(authority).parse::<Ipv4Addr>().is_ok()
}

/// Matches the whole text against Better Auth's wildcards: `*` any text, `?` one character, `\`
/// escapes the next character. The wildcard crates have other rules for escapes.
///
/// Only the latest star is retried, so the time is at most proportional to the product of both
/// lengths.
fn wildcard_match(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut latest_star = None;
    loop {
        let token = pattern.next();
        if token == Some('*') {
            latest_star = Some((pattern.clone(), text.clone()));
            continue;
        }
        let expected = match token {
            Some('\\') => pattern.next(),
            token => token,
        };
        let is_match = match (expected, text.next()) {
            (None, None) => return true,
            (Some(_), None) => return false,
            (None, Some(_)) => false,
            (Some(expected), Some(character)) => token == Some('?') || expected == character,
        };
        if !is_match {
            // Let the star match one more character.
            let Some((after_star, rest)) = &mut latest_star else {
                return false;
            };
            rest.next();
            (pattern, text) = (after_star.clone(), rest.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_like_upstream() {
        // (pattern, trusted, not trusted)
        let table: [(&str, &[&str], &[&str]); 12] = [
            (
                "https://app.example.com",
                &["https://app.example.com"],
                &[
                    "http://app.example.com",
                    "https://app.example.com:8443",
                    "https://app.example.com.evil.test",
                    "https://evil.test/https://app.example.com",
                    "https://APP.example.com",
                ],
            ),
            (
                "https://*.example.com",
                &["https://a.example.com", "https://a.b.example.com"],
                &[
                    "https://example.com",
                    "http://a.example.com",
                    "https://a.example.com.evil.test",
                    "https://evil.test#.example.com",
                    "https://evil.test/.example.com",
                    "https://x@evil.test?.example.com",
                    "https://evil.test@a.example.com",
                    "https://a b.example.com",
                    "https://a\u{7f}.example.com",
                ],
            ),
            (
                "*.example.com",
                &["https://a.example.com", "http://a.example.com"],
                &[
                    "https://a.example.com:8443",
                    "https://example.com",
                    "a.example.com",
                ],
            ),
            (
                "localhost:*",
                &["http://localhost:3000", "https://localhost:1"],
                &["http://localhost", "http://localhost.evil.test:3000"],
            ),
            (
                "https://app-?.example.com",
                &["https://app-1.example.com"],
                &["https://app-12.example.com", "https://app-.example.com"],
            ),
            (
                "https://**.example.com",
                &["https://a.b.example.com"],
                &["https://example.org"],
            ),
            (
                "http://192.168.*.*:3000",
                &["http://192.168.1.2:3000"],
                &["http://192.168.evil.test:3000", "http://192.168.1.2:3001"],
            ),
            (
                "exp://",
                &["exp://192.168.1.2:8081", "exp://host"],
                &["expo://host", "https://exp"],
            ),
            (
                "exp://**",
                &["exp://192.168.1.2:8081", "exp://host"],
                &["expo://host", "https://exp", "https://evil.test"],
            ),
            (
                "exp://192.168.*.*:*/**",
                &["exp://192.168.1.2:8081"],
                &["exp://192.168.1.2", "exp://192.168.evil.test:8081"],
            ),
            (
                "myapp://*",
                &["myapp://host"],
                &["https://myapp", "otherapp://host"],
            ),
            (
                "myapp://host",
                &["myapp://host", "MyApp://HOST"],
                &["myapp://other"],
            ),
        ];
        for (pattern, trusted, others) in table {
            let parsed: TrustedOrigin = pattern.parse().unwrap();
            for origin in trusted {
                assert!(parsed.matches(origin), "{pattern} trusts {origin}");
            }
            for origin in others.iter().chain(&["null", "", "https://", "\u{0}"]) {
                assert!(!parsed.matches(origin), "{pattern} does not trust {origin}");
            }
        }
    }

    #[test]
    fn debug_shows_the_pattern() {
        let origin = TrustedOrigin::exactly("https://app.example.com");
        assert_eq!(
            format!("{origin:?}"),
            r#"TrustedOrigin("https://app.example.com")"#
        );
    }

    #[test]
    fn unsafe_patterns_are_rejected() {
        for pattern in [
            "",
            " ",
            "*",
            "**",
            "https://",
            "https://*",
            "https://*:*",
            "https://*:3000",
            "http*://*",
            "*://*",
            "*://**",
            "*:3000",
            "*.*",
            "null",
            "example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
        ] {
            assert!(pattern.parse::<TrustedOrigin>().is_err(), "{pattern}");
        }
    }

    #[test]
    fn many_stars_are_fast() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!wildcard_match(&pattern, &"a".repeat(5_000)));
        assert!(wildcard_match(r"\*a\\?", r"*a\x"));
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "a", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("?", "", false),
            (r"\?", "a", false),
            (r"a\", "a", true),
            (r"a\", r"a\", false),
            ("**?", "ab", true),
        ] {
            assert_eq!(wildcard_match(pattern, text), expected, "{pattern} {text}");
        }
    }
}
