//! Configures a [`TestDeployment`].

use std::sync::{Arc, Mutex};

use http::Uri;

use super::deployment::Deployment;
use super::issuer_keys::IssuerKeys;
use super::must::{fail, must};
use super::{TestClock, TestDeployment, random};
use crate::jwks::JwsAlgorithm;
use crate::secret::Secret;
use crate::verify::CookieCache;

/// Configures a [`TestDeployment`]; made by [`TestDeployment::builder`]. The methods are named after Better Auth's options.
///
/// ```
/// use better_auth_layer::testing::TestDeployment;
/// use better_auth_layer::CookieCache;
/// use better_auth_layer::jwks::JwsAlgorithm;
///
/// let issuer = TestDeployment::builder()
///     .base_url("http://localhost:3000")
///     .algorithm(JwsAlgorithm::Es256)
///     .cookie_cache(CookieCache::jwe())
///     .build();
/// assert_eq!(issuer.base_url(), "http://localhost:3000");
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TestDeploymentBuilder {
    base_url: String,
    secret: Option<Secret>,
    algorithm: JwsAlgorithm,
    cookie_prefix: String,
    cookie_cache: CookieCache,
    clock: TestClock,
}

impl TestDeploymentBuilder {
    pub(super) fn new() -> Self {
        Self {
            base_url: "https://app.example.com".to_owned(),
            secret: None,
            algorithm: JwsAlgorithm::EdDsa,
            cookie_prefix: "better-auth".to_owned(),
            cookie_cache: CookieCache::compact(),
            clock: TestClock::new(),
        }
    }

    /// Sets `baseURL`. Default: `https://app.example.com`. With `https` the names of cookies begin with `__Secure-`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets `secret`. Default: a random one, so that what another issuer has signed is a forgery for this one.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Sets `jwks.keyPairConfig.alg`: what the keys of the JWT plugin are for. Default: EdDSA, as in Better Auth. With RSA
    /// the first JWT takes a moment, since its key is made then.
    pub fn algorithm(mut self, algorithm: JwsAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets `advanced.cookiePrefix`. Default: `better-auth`.
    pub fn cookie_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie_prefix = prefix.into();
        self
    }

    /// Sets `session.cookieCache`: which kind of cache [`TestSession::cookie_cache`](super::TestSession::cookie_cache)
    /// makes and [`TestDeployment::layer`] accepts. Default: the compact one, as in Better Auth.
    pub fn cookie_cache(mut self, cache: CookieCache) -> Self {
        self.cookie_cache = cache;
        self
    }

    /// Sets the clock: one that starts at another time, or the one of another issuer. Default: one of its own, at
    /// [`TestClock::START`].
    pub fn clock(mut self, clock: TestClock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the issuer. Nothing is started: it lives as long as something holds it.
    ///
    /// # Panics
    ///
    /// When the base URL is no `http` or `https` address, or the secret is not text.
    #[must_use]
    pub fn build(self) -> TestDeployment {
        let origin = origin(&self.base_url);
        let secret = self.secret.map_or_else(random::id, |secret| {
            let text = String::from_utf8(secret.expose().to_vec());
            must("the secret is not text", text)
        });
        TestDeployment::of(Deployment {
            origin,
            base_url: self.base_url,
            secret,
            cookie_prefix: self.cookie_prefix,
            cookie_cache: self.cookie_cache,
            clock: self.clock,
            store: Arc::default(),
            keys: Arc::new(IssuerKeys::new(self.algorithm)),
            addresses: Mutex::default(),
        })
    }
}

/// What Better Auth writes as issuer and audience: the address without its path, spelled as JavaScript's `URL` does it.
fn origin(base_url: &str) -> String {
    let url: Uri = must(base_url, base_url.parse());
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (url.scheme_str(), url.authority())
    else {
        fail(&format!("`{base_url}` is no http or https address"));
    };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.as_str().to_ascii_lowercase();
    let host = authority.strip_suffix(default_port).unwrap_or(&authority);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn the_origin_is_the_address_without_path_and_default_port() {
        for (url, expected) in [
            (
                "https://App.Example.com/api/auth",
                "https://app.example.com",
            ),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("http://localhost:443", "http://localhost:443"),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }
}
