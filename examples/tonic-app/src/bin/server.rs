//! Serves the notice board with the configuration in the environment.

use std::{
    error::Error,
    io::{self, IsTerminal as _},
    net::SocketAddr,
    process::ExitCode,
};

use better_auth_layer::BetterAuthLayer;
use better_auth_layer::config::Env;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic_app::app;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let environment = Env::process().with_file(".env")?;
    let filter = environment.get("RUST_LOG")?.unwrap_or("info");
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse(filter)?)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();

    let auth = BetterAuthLayer::from_env(&environment).await?.build()?;
    let address: SocketAddr = environment
        .get("LISTEN")?
        .unwrap_or("127.0.0.1:50051")
        .parse()
        .map_err(
            |_| "`LISTEN` is not a socket address; write an IP address and a port, such as `127.0.0.1:50051`",
        )?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    app(auth).await?.serve_with_incoming(incoming).await?;
    Ok(())
}
