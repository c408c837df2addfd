//! An HTTP client for HTTP/1.1 and HTTP/2.

use std::{net::SocketAddr, time::Duration};

use better_auth_layer::testing::Credential;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Longer than any step of a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    Http1,
    /// With prior knowledge, as there is no TLS.
    Http2,
}

pub(crate) const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

#[derive(Debug)]
pub(crate) struct Client {
    hyper: HyperClient<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, version: Version) -> Self {
        let mut builder = HyperClient::builder(TokioExecutor::new());
        builder.http2_only(matches!(version, Version::Http2));
        Self {
            hyper: builder.build_http(),
            address,
        }
    }

    pub(crate) async fn get(&self, path: &str, headers: &Headers) -> Answer {
        self.send("GET", path, headers).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &Headers) -> Answer {
        let (parts, body) = self.open(method, path, headers).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Sends a request without reading the response body.
    pub(crate) async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &Headers,
    ) -> Response<Incoming> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .body(Full::default())
            .unwrap();
        *request.headers_mut() = headers.0.clone();
        let response = tokio::time::timeout(PATIENCE, self.hyper.request(request));
        response.await.expect("a response in time").unwrap()
    }
}

/// The headers of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(pub(crate) HeaderMap);

impl Headers {
    pub(crate) fn of(credential: &Credential) -> Self {
        Self([credential.header()].into_iter().collect())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let name = HeaderName::from_static(name);
        self.0.append(name, value.parse().unwrap());
        self
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
