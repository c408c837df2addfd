//! The database has no free connections, and the server has lost its connections.

use std::time::Duration;

use cluster::ClusterOptions;
use tokio::time::{Instant, sleep};
use tokio_postgres::NoTls;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Kind, Trial, USUAL};

const LASTS: Duration = Duration::from_secs(7);
const CONNECTIONS: u32 = 24;

pub(crate) async fn run() -> Check {
    let fixture = Fixture::of(ClusterOptions {
        // The server under test is a superuser here.
        extra: vec![("superuser_reserved_connections".to_owned(), "0".to_owned())],
        max_connections: CONNECTIONS,
        ..ClusterOptions::default()
    })
    .await;
    let trial = Trial::begin(&fixture, USUAL, Expected::Fails(Kind::needs_store)).await;
    let administrator = fixture.backing.database.client().await;
    trial.strikes();
    let until = Instant::now() + LASTS;
    let mut others = Vec::new();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE application_name = 'better-auth-layer'";
    while Instant::now() < until {
        // Every free connection is taken.
        match tokio_postgres::connect(fixture.backing.database.url(), NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                others.push(client);
            }
            Err(_) => {
                administrator
                    .batch_execute(end)
                    .await
                    .expect("a superuser may");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
    drop((others, administrator));
    trial.ends();
    trial.conclude().await
}
