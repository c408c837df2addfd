//! Runtime, listener and connections.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::{env, io, process, thread};

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower::Service;

/// Any error of a server.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Runs a server until standard input closes.
///
/// `start` creates the service on the runtime of the server.
///
/// # Errors
///
/// If `start` fails or no port is free.
pub fn run<S, B>(start: impl AsyncFnOnce() -> Result<S, BoxError>) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    end_with_standard_input();
    runtime()?.block_on(async {
        let service = start().await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut console = io::stdout().lock();
        writeln!(console, "listening {}", listener.local_addr()?)?;
        console.flush()?;
        drop(console);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = TowerToHyperService::new(service.clone());
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // The load generator disconnects after each round.
            tokio::spawn(async { drop(connection.await) });
        }
    })
}

/// One thread unless `BENCH_WORKERS` is set: with more threads, CPU time per request includes the
/// cost of waking threads.
fn runtime() -> Result<Runtime, BoxError> {
    let workers: usize = env::var("BENCH_WORKERS").map_or(Ok(1), |text| text.parse())?;
    let mut builder = match workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if workers > 1 {
        builder.worker_threads(workers);
    }
    Ok(builder.enable_all().build()?)
}

/// The rig holds the other end, so that every server exits with the rig.
fn end_with_standard_input() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0);
    });
}
