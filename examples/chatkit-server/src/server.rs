//! Connections: their limits, and how they end.

use std::{
    convert::Infallible,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower::{Service, ServiceBuilder};

use crate::body::ServerBody;

/// A client that has not sent a head by then is not going to.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: u32 = 64 * 1024;

/// How long open requests may go on after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// The pause after a failed accept: what is missing, such as file descriptors, comes back by itself.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`, then lets open requests end.
pub(crate) async fn run<S>(listener: TcpListener, app: S, stop: impl Future<Output = ()>)
where
    S: Service<
            Request<Incoming>,
            Response = Response<ServerBody>,
            Error = Infallible,
            Future: Send,
        > + Clone
        + Send
        + 'static,
{
    let connections = GracefulShutdown::new();
    let protocol = protocol();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (protocol, app) = (protocol.clone(), app.clone());
                tokio::spawn(serve(stream, protocol, app, connections.watcher()));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // New connections are refused from here on.
    drop(listener);
    tracing::info!(connections = connections.count(), "stopping");
    if timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were still open and are cut off");
    }
}

async fn serve<S>(
    stream: TcpStream,
    protocol: auto::Builder<TokioExecutor>,
    app: S,
    watcher: Watcher,
) where
    S: Service<
            Request<Incoming>,
            Response = Response<ServerBody>,
            Error = Infallible,
            Future: Send,
        > + Clone
        + Send
        + 'static,
{
    // The events of a stream are small, and each is sent when it happens.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small packets may be delayed");
    }
    let has_asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&has_asked);
    let service = ServiceBuilder::new()
        .map_request(move |request| {
            asks.store(true, Ordering::Relaxed);
            request
        })
        .service(app);
    let service = TowerToHyperService::new(service);
    let connection = protocol.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(watcher.watch(connection));

    // hyper's own limit starts when it knows the version, which a client need not ever tell.
    let ended = match timeout(HEADER_READ_TIMEOUT, &mut connection).await {
        Ok(ended) => ended,
        Err(_) if has_asked.load(Ordering::Relaxed) => connection.await,
        Err(_) => {
            tracing::debug!("a client has connected and asked for nothing");
            return;
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection has failed");
    }
}

/// HTTP/1.1 and HTTP/2, whichever the client speaks.
fn protocol() -> auto::Builder<TokioExecutor> {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES as usize);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD_BYTES)
        // There is no limit for an idle connection; this finds the clients that are gone.
        .keep_alive_interval(HEADER_READ_TIMEOUT);
    protocol
}

/// The client has gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::oneshot,
        time::Instant,
    };
    use tower::service_fn;

    use super::*;
    use crate::refusal::Refusal;

    /// What the client reads until the server hangs up, and after how long that is.
    async fn spoken_to(sent: &'static str) -> (String, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = service_fn(|_: Request<Incoming>| async {
            let status = http::StatusCode::IM_A_TEAPOT;
            Ok::<_, Infallible>(Refusal::new(status, "short").into_response())
        });
        let (_running, stop) = oneshot::channel::<()>();
        tokio::spawn(run(listener, app, async {
            let _ = stop.await;
        }));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        let start = Instant::now();
        let mut read = Vec::new();
        client.read_to_end(&mut read).await.unwrap();
        (String::from_utf8_lossy(&read).into_owned(), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_never_finish_a_head_are_cut_off() {
        for sent in ["", "P", "PRI * HTTP/2.0", "POST / HTTP/1.1\r\nhost: a\r\n"] {
            let (read, waited) = spoken_to(sent).await;
            assert_eq!(read, "", "{sent:?}");
            assert_eq!(waited.as_secs(), HEADER_READ_TIMEOUT.as_secs(), "{sent:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_are_closed() {
        let (read, waited) = spoken_to("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(read.starts_with("HTTP/1.1 418"), "{read}");
        assert_eq!(waited.as_secs(), HEADER_READ_TIMEOUT.as_secs());
    }
}
