//! The latency of single requests on an idle machine.

use std::time::Instant;

use serde_json::json;

use crate::bench::{Bench, USERS};
use crate::contestant::{HYPER, OURS_CACHED, OURS_POSTGRES};
use crate::database::JOINED;
use crate::deployment::Credential;
use crate::error::Error;
use crate::findings::{Findings, TextTable, median};
use crate::latencies::Latencies;
use crate::load::{Load, requests};

/// Users that take turns. All of them fit into the cache.
const USERS_IN_TURN: usize = 1_000;

pub(crate) async fn run(bench: &Bench) -> Result<Findings, Error> {
    let credential = Credential::Hs256;
    let servers = [HYPER, OURS_CACHED, OURS_POSTGRES]
        .map(|program| bench.server(program, credential, &bench.database))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let requests = requests(&bench.deployment, credential, USERS_IN_TURN);
    let postmaster = bench.cluster.postmaster_pid();
    let client = bench.database.client().await;
    let statement = client.prepare(JOINED).await?;

    let mut rows: [Vec<[f64; 2]>; 4] = Default::default();
    let count = bench.options.rounds(7);
    for round in 0..count {
        eprintln!("latency: round {} of {count}", round + 1);
        for (server, rows) in servers.iter().zip(&mut rows) {
            let load = Load {
                connections: 1,
                warm_up: bench.options.warm_up() * 2,
                window: bench.options.window() / 2,
            };
            let round = load.run(&[server], &requests, postmaster).await?;
            rows.push([round.p50_us, round.p99_us]);
        }
        let mut latencies = Latencies::new()?;
        let end = Instant::now() + bench.options.window() / 2;
        let mut user = round;
        while Instant::now() < end {
            user = (user + 7_919) % USERS;
            let address = format!("user{}@example.com", user + 1);
            let asked = Instant::now();
            client.query_one(&statement, &[&address]).await?;
            latencies.record(asked.elapsed());
        }
        rows[3].push([0.5, 0.99].map(|quantile| latencies.quantile_us(quantile)));
    }
    Ok(findings(&rows))
}

fn findings(rows: &[Vec<[f64; 2]>; 4]) -> Findings {
    let names = [
        "hyper, no authentication",
        "better-auth-layer, cached, HS256",
        "better-auth-layer, database queried each time, HS256",
        "one prepared round trip to PostgreSQL, without a server",
    ];
    let of = |row: usize, column: usize| {
        rows[row]
            .iter()
            .map(|values| values[column])
            .collect::<Vec<_>>()
    };
    let mut table = TextTable {
        header: vec!["one at a time", "p50 µs", "p99 µs"],
        rows: Vec::new(),
    };
    for (row, name) in names.into_iter().enumerate() {
        let cells = [0, 1].map(|column| format!("{:.0}", median(&of(row, column))));
        table
            .rows
            .push([vec![name.to_owned()], cells.to_vec()].concat());
    }
    let floor = of(0, 0);
    let added = |row: usize| -> Vec<f64> {
        of(row, 0)
            .iter()
            .zip(&floor)
            .map(|(with, without)| with - without)
            .collect()
    };
    let beyond: Vec<f64> = added(2)
        .iter()
        .zip(of(3, 0))
        .map(|(added, trip)| added - trip)
        .collect();
    for (name, values) in [
        ("added when cached", added(1)),
        ("added by the database query", added(2)),
        ("of that, more than one prepared round trip", beyond),
    ] {
        table.rows.push(vec![
            name.to_owned(),
            format!("{:.0}", median(&values)),
            String::new(),
        ]);
    }
    let data = names
        .iter()
        .enumerate()
        .map(|(row, name)| json!({"name": name, "p50_us": of(row, 0), "p99_us": of(row, 1)}));
    Findings {
        tables: vec![table],
        charts: Vec::new(),
        data: data.collect::<Vec<_>>().into(),
    }
}
