//! The clients: through the Tower service, and through a socket.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use better_auth_layer::{BetterAuth, BetterAuthLayer, Identity, RejectionKind};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service, ServiceExt};

use super::history::{Credential, Reply};

/// Responds with the identity.
#[derive(Clone, Debug)]
pub(super) struct Echo;

impl<B> Service<Request<B>> for Echo {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let identity = request.extensions().get::<Identity>().unwrap();
        let basis = match (identity.session(), identity.api_key()) {
            (Some(session), None) => session.id(),
            (None, Some(key)) => key.id(),
            other => panic!("a session or an API key, not {other:?}"),
        };
        let who = format!("{} {basis}", identity.user().id());
        std::future::ready(Ok(Response::new(Full::from(who))))
    }
}

/// The connection of a client.
pub(super) enum ClientKind {
    Service(BetterAuth<Echo>),
    Socket(SendRequest<Empty<Bytes>>),
}

impl ClientKind {
    pub(super) fn service(layer: &BetterAuthLayer) -> Self {
        Self::Service(layer.layer(Echo))
    }

    /// A new keep-alive connection.
    pub(super) async fn socket(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self::Socket(client)
    }

    pub(super) async fn send(&mut self, credential: &Credential) -> Reply {
        let (name, value) = credential.header.clone();
        let mut request = Request::new(Empty::<Bytes>::new());
        request.headers_mut().insert(name, value);
        match self {
            Self::Service(service) => {
                ServiceExt::<Request<Empty<Bytes>>>::ready(service)
                    .await
                    .unwrap();
                let (parts, body) = service.call(request).await.unwrap().into_parts();
                match parts.extensions.get::<RejectionKind>() {
                    Some(kind) => Reply::Refused(*kind),
                    None => identity(&body.collect().await.unwrap().to_bytes()),
                }
            }
            Self::Socket(client) => {
                let host = http::HeaderValue::from_static("localhost");
                request.headers_mut().insert(http::header::HOST, host);
                client.ready().await.unwrap();
                let (parts, body) = client.send_request(request).await.unwrap().into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                match parts.status {
                    StatusCode::OK => identity(&body),
                    status => Reply::Refused(kind(status, &body)),
                }
            }
        }
    }
}

fn identity(body: &[u8]) -> Reply {
    let text = std::str::from_utf8(body).unwrap();
    let (user, basis) = text.split_once(' ').unwrap();
    Reply::Identity(user.to_owned(), basis.to_owned())
}

/// The kind of a rejection, from its response.
fn kind(status: StatusCode, body: &[u8]) -> RejectionKind {
    let text = std::str::from_utf8(body).unwrap();
    let known = [
        RejectionKind::InvalidCredential,
        RejectionKind::UserBanned,
        RejectionKind::UserNotFound,
        RejectionKind::NoActiveSession,
        RejectionKind::Unavailable,
    ];
    let is_it = |kind: &RejectionKind| kind.status() == status && text.contains(kind.message());
    known
        .into_iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{status} {text}"))
}

/// A server that stops with the runtime.
pub(super) async fn serve(layer: &BetterAuthLayer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = layer.layer(Echo);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new();
                let connection = connection.serve_connection(TokioIo::new(stream), service);
                // The client may close the connection at the end.
                let _: Result<(), hyper::Error> = connection.await;
            });
        }
    });
    address
}
