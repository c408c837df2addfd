//! The accept loop: limits on connections, and graceful shutdown.

use std::convert::Infallible;
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatkit_service::BoxBody;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::{conn::auto, graceful::GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tower::{ServiceExt as _, util::BoxCloneService};

const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// The time for open requests to finish after the stop signal.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The application.
pub(crate) type App = BoxCloneService<Request<Incoming>, Response<BoxBody>, Infallible>;

/// Serves until `stop`, then waits for open requests.
pub(crate) async fn run(listener: TcpListener, app: App, stop: impl Future<Output = ()>) {
    let connections = GracefulShutdown::new();
    let protocol = protocol();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    let kind = error.kind();
                    // Other errors, such as too many open files, affect all connections.
                    if !matches!(kind, ConnectionAborted | ConnectionRefused | ConnectionReset) {
                        tracing::error!(%error, "cannot accept connections");
                        sleep(Duration::from_millis(100)).await;
                    }
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Events of a stream are small and must be sent without delay.
        let _ = stream.set_nodelay(true);
        let has_request = Arc::new(AtomicBool::new(false));
        let received = Arc::clone(&has_request);
        let app = app.clone().map_request(move |request| {
            received.store(true, Ordering::Relaxed);
            request
        });
        let (protocol, watcher) = (protocol.clone(), connections.watcher());
        tokio::spawn(async move {
            let service = TowerToHyperService::new(app);
            let connection = protocol.serve_connection(TokioIo::new(stream), service);
            let mut connection = pin!(watcher.watch(connection));
            // hyper's header timeout starts when hyper knows the HTTP version. This one also
            // closes connections that stay silent.
            let result = match timeout(HEADER_READ_TIMEOUT, &mut connection).await {
                Ok(result) => result,
                Err(_) if has_request.load(Ordering::Relaxed) => connection.await,
                Err(_) => return tracing::debug!("connection closed: no request"),
            };
            if let Err(error) = result {
                tracing::debug!(%error, "connection failed");
            }
        });
    }
    drop(listener);
    tracing::info!(connections = connections.count(), "stopping");
    if timeout(SHUTDOWN_TIMEOUT, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("open requests were aborted");
    }
}

/// HTTP/1.1 and HTTP/2 with limits.
fn protocol() -> auto::Builder<TokioExecutor> {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_headers(100)
        .max_buf_size(MAX_HEADER_BYTES as usize);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_BYTES)
        // Pings detect dead connections; hyper has no idle timeout for HTTP/2.
        .keep_alive_interval(HEADER_READ_TIMEOUT);
    protocol
}
