//! The service behind the layer, which responds with the forwarded identity.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The upstream of the server under test. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Echo {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Echo {
    /// Listens on a free port of an IP address.
    pub(crate) async fn start(ip: IpAddr) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            loop {
                // A closed connection is no error here.
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let service = service_fn(answer);
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
        Self { address, task }
    }

    /// The value of `CHATKIT_UPSTREAM`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let named = |name: &str| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("?")
    };
    let who = format!("{} {}", named("x-user-id"), named("x-user-email"));
    Ok(Response::new(Full::from(who)))
}
