//! The default command: serve until a signal.

use std::io::{self, Write as _};
use std::time::Duration;

use better_auth_layer::{BetterAuthLayer, Config, ConfigError, Secret};
use better_auth_layer::{config::Env, sqlite::SqliteStore};
use chatkit_service::DemoDeployment;
use tokio::{net::TcpListener, runtime::Runtime};
use tracing_appender::non_blocking::NonBlocking;

use crate::{Error, app, chatkit::ChatKitEndpoint, cors, metrics, output, server, token};

pub(crate) fn run() -> Result<(), Error> {
    let env = Env::process().with_file(".env")?;
    let _log = output::start_log(&env, "info")?;
    let (console, _console) = output::non_blocking(io::stdout());
    let runtime = Runtime::new()?;
    let result = runtime.block_on(serve(&env, console));
    // A blocked lookup must not delay the exit.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve(env: &Env, mut console: NonBlocking) -> Result<(), Error> {
    let chatkit = ChatKitEndpoint::new(env, console.clone())?;
    let config = Config::from_env(env)?;
    let cors = cors::layer(env, &config)?;
    let (auth, demo) = layer(&config).await?;
    let app = app::app(cors, auth, chatkit, metrics::start()?);
    let (host, port) = host_and_port(env)?;
    let listener = TcpListener::bind((host, port)).await.map_err(|error| {
        format!("cannot listen on `HOST` {host}, `PORT` {port}: {error}; change one of them")
    })?;
    let address = listener.local_addr()?;
    // Installed before the first output: a program that reads it may send a signal.
    let stop = stop_signal()?;

    let mut text = format!("listening on http://{address}\n");
    if let Some(demo) = &demo {
        let secret = Secret::new(demo.secret())?;
        let user_id = Some(DemoDeployment::USER_ID);
        let token = token::sign(
            &secret,
            &config,
            Some(issuer(&config)),
            DemoDeployment::EMAIL,
            user_id,
        )?;
        text += &demo.instructions(address, &token);
    }
    console.write_all(text.as_bytes())?;
    server::run(listener, app, stop).await;
    Ok(())
}

/// The layer for the environment, or for a demo if neither a database nor a credential is set.
async fn layer(config: &Config) -> Result<(BetterAuthLayer, Option<DemoDeployment>), Error> {
    let is_configured = config.has_database() || config.has_credentials();
    let (builder, demo) = if is_configured {
        (BetterAuthLayer::from_config(config).await?, None)
    } else {
        let demo = DemoDeployment::create()?;
        let store = SqliteStore::open(demo.database())?;
        let builder = config
            .builder()
            .store(store)
            .secret(Secret::new(demo.secret())?);
        (builder.issuer(issuer(config)), Some(demo))
    };
    // Open streams look up their session at this interval.
    Ok((
        builder
            .recheck_interval(Duration::from_millis(500))
            .build()?,
        demo,
    ))
}

/// The issuer of demo tokens.
fn issuer(config: &Config) -> &str {
    config.issuer().unwrap_or("chatkit-server")
}

/// `HOST` and `PORT`.
pub(crate) fn host_and_port(env: &Env) -> Result<(&str, u16), ConfigError> {
    let host = env.get("HOST")?.unwrap_or("127.0.0.1").trim();
    let port = env.get("PORT")?.unwrap_or("8000").trim().parse();
    let port = port.map_err(|_| {
        let remedy = "write a number from 0 to 65535 (0 picks a free port)";
        ConfigError::new("PORT", "is not a port number", remedy)
    })?;
    // IPv6 hosts have brackets in URLs.
    Ok((host.trim_start_matches('[').trim_end_matches(']'), port))
}

/// Completes at Ctrl-C or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move { drop(interrupt.recv().await) })
}
