//! A gRPC service behind the layer, and its clients. It uses the messages of tonic's health
//! service, so no code generation is needed.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Mutex;
use support::prelude::*;

use better_auth_layer::authorize::Role;
use better_auth_layer::stream::UntilSessionEnd;
use better_auth_layer::tonic::{authorize, identity, optional_identity};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
pub use tonic_health::pb::health_client::HealthClient;
pub use tonic_health::pb::health_server::{Health, HealthServer};
pub use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// The test service. The request selects the handler: `who`, `optional` or `admin`.
#[derive(Clone, Debug, Default)]
pub struct Door {
    feeds: Arc<Mutex<Vec<mpsc::UnboundedSender<Answer>>>>,
}

type Answer = Result<HealthCheckResponse, Status>;

impl Door {
    /// The senders of all open streams.
    pub fn feeds(&self) -> Vec<mpsc::UnboundedSender<Answer>> {
        self.feeds.lock().unwrap().clone()
    }
}

#[tonic::async_trait]
impl Health for Door {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let who = match &*request.get_ref().service {
            "who" => Some(identity(&request)?),
            "optional" => optional_identity(&request)?,
            "admin" => Some(authorize(&request, &Role::new("admin"))?),
            other => return Err(Status::invalid_argument(other)),
        };
        let who = who.map_or("nobody", |identity| identity.user().id());
        let who = who.parse().unwrap();
        let mut response = Response::new(HealthCheckResponse::default());
        // The response repeats the request metadata, except for the length.
        *response.metadata_mut() = request.metadata().clone();
        response.metadata_mut().remove("content-length");
        response.metadata_mut().insert("user-id", who);
        Ok(response)
    }

    type WatchStream = UntilSessionEnd<UnboundedReceiverStream<Answer>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let identity = identity(&request)?;
        let (feed, answers) = mpsc::unbounded_channel();
        feed.send(Ok(HealthCheckResponse::default())).unwrap();
        self.feeds.lock().unwrap().push(feed);
        let answers = UnboundedReceiverStream::new(answers);
        Ok(Response::new(UntilSessionEnd::new(answers, identity)))
    }
}

/// A listening socket and its port.
pub fn listen() -> (TcpIncoming, SocketAddr) {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    (incoming, address)
}

/// Serves one service, with HTTP/1.1 enabled.
pub fn serve<S>(service: S) -> SocketAddr
where
    S: Service<http::Request<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Response: axum::response::IntoResponse,
    S::Future: Send + 'static,
{
    let (incoming, address) = listen();
    let server = Server::builder().accept_http1(true).add_service(service);
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

/// A client of the server.
pub fn client(address: SocketAddr) -> HealthClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    HealthClient::new(endpoint.connect_lazy())
}

/// A request with an optional token.
pub fn ask(what: &str, token: Option<&str>) -> Request<HealthCheckRequest> {
    let service = what.to_owned();
    let mut request = Request::new(HealthCheckRequest { service });
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// The user that the handler saw.
pub fn user_id<T>(response: &Response<T>) -> &str {
    response.metadata().get("user-id").unwrap().to_str().unwrap()
}

/// A raw response of a gRPC call.
#[derive(Debug)]
pub struct Wire {
    /// Status and headers.
    pub head: http::response::Parts,
    /// Whether the stream ended with the headers frame.
    pub headers_only: bool,
    /// The body.
    pub body: Bytes,
    /// The trailers.
    pub trailers: Option<http::HeaderMap>,
}

impl Wire {
    /// Calls a method with an empty message, after a change of the headers.
    pub async fn call(
        address: SocketAddr,
        version: http::Version,
        method: &str,
        change: impl FnOnce(&mut http::HeaderMap),
    ) -> Self {
        let mut request = http::Request::post(format!("http://{address}/grpc.health.v1.Health/{method}"))
            .version(version)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            // Uncompressed, five bytes: `service: "who"`.
            .body(Full::new(Bytes::from_static(b"\0\0\0\0\x05\x0a\x03who")))
            .unwrap();
        change(request.headers_mut());
        let client = Client::builder(TokioExecutor::new())
            .http2_only(version == http::Version::HTTP_2)
            .build_http();
        let (head, body) = client.request(request).await.unwrap().into_parts();
        let headers_only = http_body::Body::is_end_stream(&body);
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned();
        Self { head, headers_only, body: body.to_bytes(), trailers }
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.head.headers.get(name);
        value.map(|value| value.to_str().unwrap())
    }
}
