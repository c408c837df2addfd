//! The PostgreSQL store, compared with pgbench, which runs the same query in alternating rounds.

use std::process::Command;

use cluster::postgres::{PoolMode, Pooler};
use serde_json::{Value, json};

use crate::bench::{Bench, USERS};
use crate::error::Error;
use crate::findings::{Findings, TextTable, median, number};
use crate::pgbench::Pgbench;
use crate::server::own_program;

const CALLERS: [usize; 4] = [8, 16, 64, 512];
const PGBENCH_CLIENTS: usize = 8;

/// Limits that are high enough for one query per lookup with 64 callers.
const PIPELINED: [usize; 2] = [2, 32];

/// Batch connections, and batches in flight on each.
const LIMITS: [[usize; 2]; 5] = [[1, 8], [2, 2], [2, 4], [2, 8], PIPELINED];

/// Connections from the pooler to the server, more than from the store to the pooler.
const POOLED: u32 = 4;

pub(crate) async fn run(bench: &Bench) -> Result<Findings, Error> {
    let pooler = Pooler::start(&bench.cluster, PoolMode::Transaction, POOLED).await;
    let direct = bench.database.url();
    let pooled = pooler.url(&bench.database);
    let mut beside_pgbench = Compared::new([
        ("directly", direct, None),
        ("through PgBouncer", &*pooled, None),
    ]);
    let titles = LIMITS.map(|[lanes, in_flight]| format!("{lanes} × {in_flight}"));
    let mut limits = Vec::new();
    for (title, limit) in titles.iter().zip(LIMITS) {
        limits.push((&**title, direct, Some(limit)));
    }
    let mut by_limits = Compared::new(limits);

    let pgbench = Pgbench::new()?;
    let count = bench.options.rounds(5);
    for round in 0..count {
        eprintln!("store: round {} of {count}", round + 1);
        for callers in CALLERS {
            let window = bench.options.window();
            let floor = pgbench.run(bench, &bench.database, PGBENCH_CLIENTS, window)?;
            beside_pgbench.round(bench, callers, floor)?;
            by_limits.round(bench, callers, floor)?;
        }
    }
    Ok(Findings {
        tables: vec![
            beside_pgbench.table("PostgresStore"),
            by_limits.table("connections × in flight"),
        ],
        charts: Vec::new(),
        data: json!({"beside_pgbench": beside_pgbench.data(), "by_limits": by_limits.data()}),
    })
}

/// Configurations that take turns.
struct Compared<'a> {
    ways: Vec<(&'a str, &'a str, Option<[usize; 2]>)>,
    /// Configuration, callers and results.
    results: Vec<(usize, usize, Round)>,
}

#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    to_pgbench: f64,
    p50: f64,
    p99: f64,
}

impl<'a> Compared<'a> {
    fn new(ways: impl Into<Vec<(&'a str, &'a str, Option<[usize; 2]>)>>) -> Self {
        Self {
            ways: ways.into(),
            results: Vec::new(),
        }
    }

    fn round(&mut self, bench: &Bench, callers: usize, pgbench: f64) -> Result<(), Error> {
        for (way, (_, url, limits)) in self.ways.iter().enumerate() {
            let result = ask(bench, url, callers, *limits)?;
            let of = |name: &str| result[name].as_f64().unwrap_or(f64::NAN);
            let round = Round {
                per_second: of("per_second"),
                to_pgbench: of("per_second") / pgbench,
                p50: of("p50"),
                p99: of("p99"),
            };
            self.results.push((way, callers, round));
        }
        Ok(())
    }

    fn median(&self, way: usize, callers: usize, figure: impl Fn(Round) -> f64) -> f64 {
        let of_it = self
            .results
            .iter()
            .filter(|result| (result.0, result.1) == (way, callers));
        let figures: Vec<f64> = of_it.map(|(_, _, round)| figure(*round)).collect();
        median(&figures)
    }

    fn table(&self, what: &'static str) -> TextTable {
        let header = vec![
            what,
            "callers",
            "lookups/s",
            "to pgbench -c 8",
            "p50 ms",
            "p99 ms",
        ];
        let mut rows = Vec::new();
        for (way, (title, ..)) in self.ways.iter().enumerate() {
            for callers in CALLERS {
                let of = |figure: fn(Round) -> f64| self.median(way, callers, figure);
                rows.push(vec![
                    (*title).to_owned(),
                    callers.to_string(),
                    number(of(|round| round.per_second)),
                    format!("{:.2}", of(|round| round.to_pgbench)),
                    format!("{:.2}", of(|round| round.p50) / 1e3),
                    format!("{:.2}", of(|round| round.p99) / 1e3),
                ]);
            }
        }
        TextTable { header, rows }
    }

    fn data(&self) -> Value {
        self.results
            .iter()
            .map(|(way, callers, round)| {
                json!({
                    "way": self.ways[*way].0, "callers": callers, "per_second": round.per_second,
                    "to_pgbench": round.to_pgbench, "p50_us": round.p50, "p99_us": round.p99,
                })
            })
            .collect()
    }
}

fn ask(
    bench: &Bench,
    url: &str,
    callers: usize,
    limits: Option<[usize; 2]>,
) -> Result<Value, Error> {
    let window = bench.options.window().as_millis() as usize;
    let output = Command::new(own_program("store")?)
        .args([callers, window, USERS].map(|number| number.to_string()))
        .args(
            limits
                .into_iter()
                .flatten()
                .map(|number| number.to_string()),
        )
        .env("DATABASE_URL", url)
        .output()?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        format!(
            "the store failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into()
    })
}
