//! A streaming reverse proxy to a full ChatKit server, which it tells who the user is.

mod error;
#[cfg(test)]
mod tests;

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

pub(crate) use self::error::ProxyError;
use crate::body::{BoxError, ServerBody};
use crate::refusal::Refusal;

/// The upstream is on this machine or next to it; if it does not answer by then, it never will.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");

/// What concerns one connection only (RFC 9110, section 7.6.1), besides what `Connection` names.
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

/// Sends requests to the ChatKit server at `CHATKIT_UPSTREAM`, and its answers back, as they come.
///
/// The upstream believes `x-user-id` and `x-user-email`, so nobody else may reach it.
#[derive(Clone)]
pub(crate) struct Proxy {
    client: Client<HttpConnector, ServerBody>,
    upstream: Uri,
}

impl Proxy {
    /// `upstream` is `http://host:port/path`. Without a path, requests keep their own.
    pub(crate) fn new(upstream: &str) -> Result<Self, ProxyError> {
        let uri: Uri = upstream.parse().map_err(ProxyError::Malformed)?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(ProxyError::NotHttp);
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(ProxyError::Credentials);
        }
        if uri.query().is_some() {
            return Err(ProxyError::Query);
        }
        match uri.host() {
            Some(host) if is_private(host) => {}
            host => return Err(ProxyError::Public(host.unwrap_or_default().to_owned())),
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            // uvicorn closes a connection after an unhandled error without saying so first. On a
            // kept connection the next request would fail, and its streamed body is gone by then.
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self {
            client,
            upstream: uri,
        })
    }

    /// Passes on one request of the authenticated user. Dropping the answer drops the upstream's.
    pub(crate) async fn handle<B>(
        &self,
        user_id: &str,
        email: &str,
        request: Request<B>,
    ) -> Response<ServerBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match self.forward(user_id, email, request).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn forward<B>(
        &self,
        user_id: &str,
        email: &str,
        request: Request<B>,
    ) -> Result<Response<ServerBody>, Refusal>
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
            tracing::warn!(%error, cause, upstream = %self.upstream, "no answer from the upstream");
            Refusal::new(
                StatusCode::BAD_GATEWAY,
                "The ChatKit server behind this one does not answer",
            )
        })?;
        remove_hop_by_hop(response.headers_mut());
        Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
    }

    fn target(&self, from: &Uri) -> Result<Uri, Refusal> {
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
        Uri::from_parts(parts)
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The address cannot be passed on"))
    }
}

/// Whether a host is this machine or on its own network, as far as its name tells.
fn is_private(host: &str) -> bool {
    match host
        .trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .map(|ip| ip.to_canonical())
    {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        // `localhost`, and the names that containers have for each other.
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
) -> Result<HeaderMap, Refusal> {
    remove_hop_by_hop(&mut headers);
    // The credentials were for this server. With them the upstream could act as the user here.
    headers.remove(AUTHORIZATION);
    headers.remove(COOKIE);
    headers.remove(API_KEY);
    headers.remove(HOST);
    let spoofed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| names_a_user(name))
        .cloned()
        .collect();
    for name in spoofed {
        headers.remove(name);
    }
    headers.insert(USER_ID, identity(user_id)?);
    headers.insert(USER_EMAIL, identity(email)?);
    Ok(headers)
}

/// Whether a CGI or WSGI server would read this name as `x-user-…`: there, any sign is like `_`.
fn names_a_user(name: &HeaderName) -> bool {
    let plain = name
        .as_str()
        .replace(|sign: char| !sign.is_ascii_alphanumeric(), "-");
    plain.starts_with("x-user-")
}

/// Spaces around a header's value are not part of it: such an id would arrive as another one.
fn identity(value: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_bytes(value.as_bytes())
        .ok()
        .filter(|_| !value.is_empty() && value.trim() == value)
        .ok_or_else(|| {
            tracing::error!("the id or the email of a user does not fit into a header");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
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
