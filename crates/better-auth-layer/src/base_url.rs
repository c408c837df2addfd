//! [`BaseUrl`]: the URL of a Better Auth deployment.

use http::Uri;
use http::uri::Scheme;

use crate::config_error::ConfigError;

/// The default of Better Auth's option `basePath`.
const DEFAULT_BASE_PATH: &str = "/api/auth";

/// Better Auth's `baseURL`.
///
/// Better Auth writes its origin into tokens. The origin is normalized like JavaScript's `URL` does:
/// scheme and host in lower case, no default port, no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    origin: String,
    path: String,
}

impl BaseUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let invalid = |problem: &'static str| {
            ConfigError::new(
                "base_url",
                problem,
                "write the URL of Better Auth, such as `https://app.example.com`",
            )
        };
        let uri: Uri = text.trim().parse().map_err(|_| invalid("is not a URL"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(invalid("does not start with `https://`"));
        };
        let default_port = if *scheme == Scheme::HTTPS {
            443
        } else if *scheme == Scheme::HTTP {
            80
        } else {
            return Err(invalid("is neither `https://` nor `http://`"));
        };
        if authority.as_str().contains('@') {
            return Err(invalid("contains a user or a password"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(invalid("contains a query or a fragment"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(invalid("has no host"));
        }
        let port = match authority.as_str().strip_prefix(host) {
            None | Some("") => String::new(),
            Some(rest) => {
                let number = rest.strip_prefix(':').and_then(|port| port.parse().ok());
                let number: u16 = number.ok_or_else(|| invalid("has an invalid port"))?;
                if number == default_port {
                    String::new()
                } else {
                    format!(":{number}")
                }
            }
        };
        let host = host.to_ascii_lowercase();
        Ok(Self {
            origin: format!("{scheme}://{host}{port}"),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The default `iss` and `aud` of Better Auth's JWTs.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// The URL of the public keys, below the path of this URL or the default path.
    pub(crate) fn jwks_url(&self) -> String {
        let path = if self.path.is_empty() {
            DEFAULT_BASE_PATH
        } else {
            &self.path
        };
        format!("{}{path}/jwks", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    #[test]
    fn origin_is_normalized() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://App.Example.com/", "https://app.example.com"),
            ("https://app.example.com:443/x", "https://app.example.com"),
            ("HTTP://localhost:3000", "http://localhost:3000"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:3000/", "http://[::1]:3000"),
        ] {
            assert_eq!(base(text).origin(), origin, "{text}");
        }
    }

    #[test]
    fn jwks_url_uses_path_or_default() {
        for (text, url) in [
            ("https://a.example", "https://a.example/api/auth/jwks"),
            ("https://a.example/", "https://a.example/api/auth/jwks"),
            ("https://a.example/auth", "https://a.example/auth/jwks"),
            (
                "https://a.example/api/auth/",
                "https://a.example/api/auth/jwks",
            ),
        ] {
            assert_eq!(base(text).jwks_url(), url, "{text}");
        }
    }

    #[test]
    fn invalid_urls_are_rejected() {
        for text in [
            "",
            "app.example.com",
            "/api/auth",
            "ftp://app.example.com",
            "https://user:password@app.example.com",
            "https://app.example.com?x=1",
            "https://app.example.com/#x",
            "https://",
            "https://app.example.com:99999",
            "https://app.example.com:",
        ] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert_eq!(error.setting(), "base_url", "{text}");
            assert!(!error.to_string().contains("password@"), "{error}");
        }
    }
}
