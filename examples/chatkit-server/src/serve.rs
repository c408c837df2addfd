//! The command that is meant where none is given: serve.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use better_auth_layer::Config;
use better_auth_layer::config::Env;
use tokio::runtime::Runtime;

use crate::app::app;
use crate::metrics::Metrics;
use crate::outlet::Outlet;
use crate::protected::Protected;
use crate::start_error::StartError;
use crate::{configuration, cors, listener, log, server};

/// How long the end may be held up by a lookup that blocks or by a console that nobody reads.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) fn run() -> Result<(), StartError> {
    let environment = configuration::environment()?;
    let log = Outlet::new(io::stderr())?;
    let console = Outlet::new(io::stdout())?;
    log::start(&environment, log.clone())?;

    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(serve(&environment, &console));
    runtime.shutdown_timeout(PATIENCE);
    console.flush(PATIENCE);
    log.flush(PATIENCE);
    outcome
}

async fn serve(environment: &Env, console: &Outlet) -> Result<(), StartError> {
    let protected = Protected::new(environment, console.clone())?;
    let settings = Config::from_env(environment)?;
    let cors = cors::layer(environment, &settings)?;
    let (auth, demo) = configuration::layer(&settings).await?;
    let metrics = Metrics::start()?;
    let listener = listener::bind(environment).await?;
    let address = listener.local_addr()?;
    // From the first line on, whoever reads it may send a signal.
    let stop = stop_signal()?;

    console.line(&format!("listening on http://{address}"));
    if let Some(demo) = &demo {
        console.line(&demo.invitation(reachable(address), &settings)?);
    }
    server::run(listener, app(cors, auth, protected, metrics), stop).await;
    Ok(())
}

/// Where a client on this machine finds a server that listens on every network.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

/// Ends with Ctrl-C or, where there are such signals, SIGTERM.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C is not heard");
            std::future::pending::<()>().await;
        }
    })
}
