//! The builder of a test deployment.

use std::sync::{Arc, Mutex};

use http::Uri;

use super::keys::IssuerKeys;
use super::panic::{fail, must};
use super::state::Deployment;
use super::{TestClock, TestDeployment, random};
use crate::jwks::JwsAlgorithm;
use crate::secret::Secret;
use crate::verify::CookieCache;

/// Builder of a [`TestDeployment`], created by [`TestDeployment::builder`]. The methods have the
/// names of Better Auth's options.
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

    /// Sets `baseURL`. Default: `https://app.example.com`. With `https` the cookie names start with
    /// `__Secure-`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets `secret`. Default: a random secret, so that credentials of other deployments are
    /// forgeries.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Sets `jwks.keyPairConfig.alg`, the algorithm of the JWT plugin. Default: EdDSA, as in Better
    /// Auth. With RSA the first JWT takes some time, because it creates the key.
    pub fn algorithm(mut self, algorithm: JwsAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets `advanced.cookiePrefix`. Default: `better-auth`.
    pub fn cookie_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie_prefix = prefix.into();
        self
    }

    /// Sets `session.cookieCache`: the kind of cache that
    /// [`TestSession::cookie_cache`](super::TestSession::cookie_cache) creates and
    /// [`TestDeployment::layer`] accepts. Default: the compact one, as in Better Auth.
    pub fn cookie_cache(mut self, cache: CookieCache) -> Self {
        self.cookie_cache = cache;
        self
    }

    /// Sets the clock, for another start time or to share the clock of another deployment. Default:
    /// a new clock at [`TestClock::START`].
    pub fn clock(mut self, clock: TestClock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the deployment. It runs no task.
    ///
    /// # Panics
    ///
    /// If the base URL is not an `http` or `https` URL, or the secret is not text.
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

/// Better Auth's issuer and audience: the URL without its path, normalized like JavaScript's `URL`.
fn origin(base_url: &str) -> String {
    let url: Uri = must(base_url, base_url.parse());
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (url.scheme_str(), url.authority())
    else {
        fail(&format!("`{base_url}` is not an http or https URL"));
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
    fn origin_has_no_path_or_default_port() {
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
