//! Fetches keys over HTTP.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// Several hundred times the size of Better Auth's response.
const MAX_LENGTH: usize = 256 * 1024;

const USER_AGENT_VALUE: &str = concat!("better-auth-layer/", env!("CARGO_PKG_VERSION"));

/// Fetches the keys that an issuer publishes, such as Better Auth's `/api/auth/jwks`.
///
/// A fetch is one `GET` without redirects, proxies or cookies; the response may have at most 256 KiB.
/// The request contains no part of any token. The URL must be `https`, except for a loopback host.
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
    client: HttpsClient,
    server_time: Mutex<Option<Timestamp>>,
}

type HttpsClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

impl RemoteKeySource {
    /// Creates a source for a URL.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the URL is not `https`, or contains a user name or password.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let source = Self::dangerous_allow_http(url)?;
        if source.uri.scheme_str() != Some("https") && !is_loopback(&source.uri) {
            return Err(ConfigError::new(
                "jwks_url",
                "is not `https`, so an attacker on the network could replace the keys",
                "write `https://`, or read the keys from the database (`key_source` of the store); use `dangerous_allow_http` only on a trusted network",
            ));
        }
        Ok(source)
    }

    /// As [`new`](Self::new), but also accepts `http` URLs. An attacker on the network can then
    /// replace the keys and authenticate as any user; use it only on a private network, such as
    /// between the containers of one deployment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the URL is neither `https` nor `http`, or contains a user name or password.
    pub fn dangerous_allow_http(url: &str) -> Result<Self, ConfigError> {
        let invalid = |problem: &'static str| {
            ConfigError::new(
                "jwks_url",
                problem,
                "write the URL of the issuer's JWKS, such as `https://app.example.com/api/auth/jwks`",
            )
        };
        let uri: Uri = url.trim().parse().map_err(|_| invalid("is not a URL"))?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err(invalid("is neither `https://` nor `http://`"));
        }
        let authority = uri.authority().ok_or(invalid("is not a URL"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("contains a user name or password"));
        }
        Ok(Self {
            client: client(None)?,
            uri,
            root_certificates: None,
            server_time: Mutex::default(),
        })
    }

    /// Trusts the certificates in a PEM file instead of the public certificate authorities.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file cannot be read or contains no certificate.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = path.into();
        self.client = client(Some(&path))?;
        self.root_certificates = Some(path);
        Ok(self)
    }

    fn lock_server_time(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.server_time
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn client(root_certificates: Option<&Path>) -> Result<HttpsClient, ConfigError> {
    let tls = tls_config(root_certificates, "root_certificates", "the issuer's")?;
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .build();
    // Minutes pass between fetches, so an idle connection would usually be closed by the server.
    let mut builder = Client::builder(TokioExecutor::new());
    Ok(builder.pool_max_idle_per_host(0).build(connector))
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || ip
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

impl KeySource for RemoteKeySource {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/jwk-set+json, application/json"),
        );
        let response = self.client.request(request).await;
        let response = response.map_err(KeySourceError::new)?;
        let status = response.status();
        if status != StatusCode::OK {
            let hint = if status.is_redirection() {
                "; redirects are not followed, configure the final URL"
            } else {
                ""
            };
            return Err(KeySourceError::new(format!(
                "the issuer responded with {status}{hint}"
            )));
        }
        let server_time = server_time(response.headers());
        let body = Limited::new(response.into_body(), MAX_LENGTH);
        let body = body.collect().await.map_err(KeySourceError::new)?;
        let keys = KeySet::from_json(&body.to_bytes())?;
        *self.lock_server_time() = server_time;
        Ok(keys)
    }

    fn server_time(&self) -> Option<Timestamp> {
        *self.lock_server_time()
    }
}

/// The issuer's clock: `Date`, plus `Age` if a cache answered (RFC 9110 §6.6.1, RFC 9111 §5.1).
fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
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
