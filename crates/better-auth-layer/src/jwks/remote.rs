//! Keys from an address.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AGE, DATE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::fmt::rfc2822::DateTimeParser;

use super::{KeySet, KeySource, KeySourceError};
use crate::clock::Timestamp;
use crate::config_error::ConfigError;
use crate::tls::tls_config;

/// Some hundred times what Better Auth sends.
const MAXIMUM_LENGTH: usize = 256 * 1024;

const AGENT: &str = concat!("better-auth-layer/", env!("CARGO_PKG_VERSION"));

/// The keys that an issuer publishes: Better Auth's `/api/auth/jwks`.
///
/// One `GET` per fetch: no redirects, no proxy, no cookies, at most 256 KiB, and nothing of a token is sent. The address
/// must be `https`, unless it is this machine's own.
///
/// ```
/// use better_auth_layer::jwks::RemoteKeySource;
///
/// let source = RemoteKeySource::new("https://app.example.com/api/auth/jwks")?;
/// # let _ = source;
/// assert!(RemoteKeySource::new("http://app.example.com/api/auth/jwks").is_err());
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
pub struct RemoteKeySource {
    uri: Uri,
    root_certificates: Option<PathBuf>,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl RemoteKeySource {
    /// Keys at an address.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for what is no `https` address, or has a user or a password in it.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let source = Self::with_any_scheme(url)?;
        if source.uri.scheme_str() != Some("https") && !is_this_machine(&source.uri) {
            return Err(ConfigError::new(
                "jwks_url",
                "is not `https`, and whoever is on the way could put in keys",
                "write `https://`, or take the keys from the database (`key_source` of the store); `dangerous_allow_http` if the network is trusted",
            ));
        }
        Ok(source)
    }

    /// As [`new`](Self::new), without TLS if the address says so. Whoever can answer in the issuer's place can then sign
    /// in as everybody. For a network between containers that nobody else is on.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for what is neither an `https` nor an `http` address, or has a user or a password in it.
    pub fn dangerous_allow_http(url: &str) -> Result<Self, ConfigError> {
        Self::with_any_scheme(url)
    }

    fn with_any_scheme(url: &str) -> Result<Self, ConfigError> {
        let refused = |problem: &'static str| {
            ConfigError::new(
                "jwks_url",
                problem,
                "write the address of the issuer's JWKS, such as `https://app.example.com/api/auth/jwks`",
            )
        };
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|_| refused("is not an address"))?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err(refused("is neither `https://` nor `http://`"));
        }
        let authority = uri.authority().ok_or(refused("is not an address"))?;
        if authority.as_str().contains('@') {
            return Err(refused("has a user or a password in it"));
        }
        Ok(Self {
            client: client(None)?,
            uri,
            root_certificates: None,
        })
    }

    /// Trusts the certificates in a PEM file in place of those of the public authorities.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the file cannot be read or holds no certificate.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = path.into();
        self.client = client(Some(&path))?;
        self.root_certificates = Some(path);
        Ok(self)
    }
}

fn client(
    root_certificates: Option<&Path>,
) -> Result<Client<HttpsConnector<HttpConnector>, Empty<Bytes>>, ConfigError> {
    let tls = tls_config(root_certificates, "root_certificates", "the issuer's")?;
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .build();
    // Minutes lie between two fetches; a connection that is kept would only be found broken.
    let mut builder = Client::builder(TokioExecutor::new());
    Ok(builder.pool_max_idle_per_host(0).build(connector))
}

/// Traffic that never leaves the machine.
fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl KeySource for RemoteKeySource {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/jwk-set+json, application/json"),
        );
        let response = self.client.request(request).await;
        let response = response.map_err(KeySourceError::new)?;
        let status = response.status();
        if status != StatusCode::OK {
            let hint = if status.is_redirection() {
                "; redirects are not followed, configure the address itself"
            } else {
                ""
            };
            return Err(KeySourceError::new(format!(
                "the issuer answered {status}{hint}"
            )));
        }
        let said_at = said_at(response.headers());
        let body = Limited::new(response.into_body(), MAXIMUM_LENGTH);
        let body = body.collect().await.map_err(KeySourceError::new)?;
        Ok(KeySet::from_json(&body.to_bytes())?.said_at(said_at))
    }
}

/// What time it is at the issuer, if it says so: `Date`, and how long ago that was where a cache stands in between
/// (RFC 9110 §6.6.1, RFC 9111 §5.1).
fn said_at(headers: &HeaderMap) -> Option<Timestamp> {
    let text = |name| headers.get(name)?.to_str().ok();
    let date = DateTimeParser::new().parse_timestamp(text(DATE)?).ok()?;
    let age = text(AGE).and_then(|age| age.trim().parse().ok());
    let date = Timestamp::from_unix_seconds(date.as_second());
    Some(date.saturating_add(Duration::from_secs(age.unwrap_or(0))))
}

impl fmt::Debug for RemoteKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeySource")
            .field("uri", &self.uri)
            .field("root_certificates", &self.root_certificates)
            .finish_non_exhaustive()
    }
}
