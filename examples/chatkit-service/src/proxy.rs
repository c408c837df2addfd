//! A streaming reverse proxy to a full ChatKit server. It sends the user as `x-user-…` headers.

use std::{error::Error as _, net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version,
    header::{
        AUTHORIZATION, CONNECTION, COOKIE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
        TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
    uri::{PathAndQuery, Scheme},
};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::response::{BoxBody, BoxError, ErrorResponse};
use crate::upstream_error::UpstreamError;

/// The upstream is on this machine or in the same private network.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");

/// Hop-by-hop headers (RFC 9110, section 7.6.1), in addition to those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Streams requests to the ChatKit server at `CHATKIT_UPSTREAM`, and its responses back.
///
/// The upstream trusts `x-user-id` and `x-user-email`, so only the proxy may reach it.
#[derive(Clone, Debug)]
pub struct Proxy {
    client: Client<HttpConnector, BoxBody>,
    upstream: Uri,
}

impl Proxy {
    /// A proxy to `http://host:port/path`. If the URL has no path, requests keep theirs.
    ///
    /// # Errors
    ///
    /// The URL is malformed, not `http`, or its host is not on this machine or a private network.
    pub fn new(upstream: &str) -> Result<Self, UpstreamError> {
        let uri: Uri = upstream.parse().map_err(UpstreamError::Malformed)?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(UpstreamError::NotHttp);
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(UpstreamError::Credentials);
        }
        if uri.query().is_some() {
            return Err(UpstreamError::Query);
        }
        match uri.host() {
            Some(host) if is_private(host) => {}
            host => return Err(UpstreamError::Public(host.unwrap_or_default().to_owned())),
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            // uvicorn closes a connection after an unhandled error, without `Connection: close`.
            // The next request on a pooled connection would fail, and a streamed body cannot be
            // sent again.
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self {
            client,
            upstream: uri,
        })
    }

    /// Forwards a request of the authenticated user. Dropping the response cancels the upstream's.
    pub async fn handle<B>(
        &self,
        user_id: &str,
        email: &str,
        request: Request<B>,
    ) -> Response<BoxBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match self.forward(user_id, email, request).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        }
    }

    async fn forward<B>(
        &self,
        user_id: &str,
        email: &str,
        request: Request<B>,
    ) -> Result<Response<BoxBody>, ErrorResponse>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (from, body) = request.into_parts();
        let mut request = Request::new(body.map_err(Into::into).boxed_unsync());
        *request.method_mut() = from.method;
        *request.uri_mut() = self.target(&from.uri)?;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = upstream_headers(from.headers, user_id, email)?;

        let mut response = self.client.request(request).await.map_err(|error| {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(%error, cause, upstream = %self.upstream, "no response from the upstream");
            ErrorResponse::new(
                StatusCode::BAD_GATEWAY,
                "The upstream ChatKit server does not respond",
            )
        })?;
        remove_hop_by_hop(response.headers_mut());
        Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
    }

    fn target(&self, from: &Uri) -> Result<Uri, ErrorResponse> {
        let path = match self.upstream.path() {
            "/" => from.path(),
            path => path,
        };
        let path = match from.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let mut parts = self.upstream.clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(path).ok();
        Uri::from_parts(parts).map_err(|_| {
            ErrorResponse::new(
                StatusCode::BAD_REQUEST,
                "The request URL cannot be forwarded",
            )
        })
    }
}

/// Whether a host is this machine or on a private network, judging by its name.
fn is_private(host: &str) -> bool {
    match host
        .trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .map(|ip| ip.to_canonical())
    {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        // `localhost` and container names.
        Err(_) => {
            !host.contains('.')
                || [".localhost", ".local", ".internal"]
                    .iter()
                    .any(|end| host.ends_with(end))
        }
    }
}

fn upstream_headers(
    mut headers: HeaderMap,
    user_id: &str,
    email: &str,
) -> Result<HeaderMap, ErrorResponse> {
    remove_hop_by_hop(&mut headers);
    // The credentials are for this server. The upstream could use them to act as the user.
    headers.remove(AUTHORIZATION);
    headers.remove(COOKIE);
    headers.remove(API_KEY);
    headers.remove(HOST);
    let spoofed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_user_header(name))
        .cloned()
        .collect();
    for name in spoofed {
        headers.remove(name);
    }
    headers.insert(USER_ID, user_header(user_id)?);
    headers.insert(USER_EMAIL, user_header(email)?);
    Ok(headers)
}

/// Whether a CGI or WSGI server, which maps every punctuation character to `_`, reads the name as
/// `x-user-…`.
fn is_user_header(name: &HeaderName) -> bool {
    let plain = name
        .as_str()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    plain.starts_with("x-user-")
}

/// Encodes a user id or email. Surrounding spaces are rejected: the upstream would not see them.
fn user_header(value: &str) -> Result<HeaderValue, ErrorResponse> {
    HeaderValue::from_bytes(value.as_bytes())
        .ok()
        .filter(|_| !value.is_empty() && value.trim() == value)
        .ok_or_else(|| {
            tracing::error!("a user id or email is not a valid header value");
            ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
        })
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let nominated: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.into_iter().chain(nominated) {
        headers.remove(name);
    }
}
