//! Serves the application with the configuration in the environment.

use std::{error::Error, io, process::ExitCode};

use axum::{ServiceExt, extract::Request};
use axum_app::Chat;
use better_auth_layer::Config;
use better_auth_layer::config::{DatabaseStore, Env};
use better_auth_layer::organization::MembershipLayer;
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(io::stderr)
        .init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            eprintln!("to run without settings: cargo run -p axum-app --example axum-demo");
            ExitCode::from(2)
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let environment = Env::process().with_file(".env")?;
    let settings = Config::from_env(&environment)?;
    let store = DatabaseStore::from_config(&settings).await?;
    let auth = settings
        .builder()
        .store(store.clone())
        .prepend_credential_source(axum_app::websocket_token())
        .build()?;
    let cors = axum_app::cors(move |origin| settings.trusts_origin(origin));

    let address = environment.get("LISTEN")?.unwrap_or("127.0.0.1:3001");
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = axum_app::app(auth, MembershipLayer::new(store), cors, Chat::new());
    axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await?;
    Ok(())
}
