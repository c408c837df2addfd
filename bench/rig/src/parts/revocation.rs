//! The time until a revoked session is rejected, with several servers that cache results and listen
//! for changes in the database.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::bench::Bench;
use crate::contestant::OURS_CACHED;
use crate::deployment::Credential;
use crate::error::Error;
use crate::findings::{Findings, TextTable};
use crate::latencies::Latencies;
use crate::load::{Connection, request};
use crate::server::Server;

const PROCESSES: [usize; 2] = [1, 4];

/// The first user that signs out. Users before it keep their sessions.
const FIRST: usize = 50_000;

/// Longer than the lifetime of a cache entry without a listener.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(bench: &Bench) -> Result<Findings, Error> {
    let mut table = TextTable {
        header: vec![
            "server processes",
            "sign-outs",
            "p50 ms",
            "p99 ms",
            "longest ms",
        ],
        rows: Vec::new(),
    };
    let mut data = Vec::new();
    let mut next = FIRST;
    for processes in PROCESSES {
        eprintln!("revocation: {processes} processes");
        let count = if bench.options.quick { 50 } else { 500 };
        let delays = measure(bench, processes, next..next + count).await?;
        next += count;
        let values = [0.5, 0.99, 1.0].map(|quantile| delays.quantile_us(quantile) / 1e3);
        table.rows.push(
            [
                vec![processes.to_string(), count.to_string()],
                values.map(|value| format!("{value:.2}")).to_vec(),
            ]
            .concat(),
        );
        data.push(json!({"processes": processes, "sign_outs": count, "p50_ms": values[0], "p99_ms": values[1], "max_ms": values[2]}));
    }
    Ok(Findings {
        tables: vec![table],
        charts: Vec::new(),
        data: data.into(),
    })
}

async fn measure(
    bench: &Bench,
    processes: usize,
    users: std::ops::Range<usize>,
) -> Result<Latencies, Error> {
    let servers: Vec<Server> = (0..processes)
        .map(|_| bench.server(OURS_CACHED, Credential::Hs256, &bench.database))
        .collect::<Result<_, _>>()?;
    // Without listeners, the servers cache nothing.
    sleep(Duration::from_secs(2)).await;
    let mut connections = Vec::new();
    for server in &servers {
        connections.push(Connection::open(server.address).await?);
    }
    let client = bench.database.client().await;
    let delete = client
        .prepare(r#"DELETE FROM "session" WHERE "id" = $1"#)
        .await?;
    let mut delays = Latencies::new()?;
    for user in users {
        let session = format!("ses_{user}_1");
        let token = bench
            .deployment
            .token(Credential::Hs256, user, Some(&session));
        let request = request(&format!("authorization: Bearer {token}\r\n"));
        for connection in &mut connections {
            for _ in 0..2 {
                match connection.ask(&request).await? {
                    200 => {}
                    status => {
                        return Err(format!("a signed-in user got {status}").into());
                    }
                }
            }
        }
        client.execute(&delete, &[&session]).await?;
        let ended = Instant::now();
        // One after the other, so that requests do not delay the notification of a server.
        let mut accepting: Vec<&mut Connection> = connections.iter_mut().collect();
        while !accepting.is_empty() {
            let mut still = Vec::new();
            for connection in accepting {
                let status = connection.ask(&request).await?;
                let after = ended.elapsed();
                match status {
                    200 if after > PATIENCE => {
                        return Err("a revoked session is still accepted".into());
                    }
                    200 => still.push(connection),
                    401 | 404 => delays.record(after),
                    status => {
                        return Err(format!("a signed-out user got {status}").into());
                    }
                }
            }
            accepting = still;
        }
    }
    Ok(delays)
}
