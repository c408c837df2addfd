//! The store by itself beside pgbench, which asks the same at the same time of day.

use std::process::Command;

use serde_json::{Value, json};

use crate::bench::{Bench, USERS};
use crate::error::Error;
use crate::findings::{Findings, TextTable, median, number};
use crate::pgbench::Pgbench;
use crate::server::own_program;

const CALLERS: [usize; 3] = [8, 64, 512];
const PGBENCH_CLIENTS: usize = 8;

pub(crate) async fn run(bench: &Bench) -> Result<Findings, Error> {
    let pgbench = Pgbench::new()?;
    let window = bench.options.window();
    let mut results: [Vec<[f64; 4]>; CALLERS.len()] = Default::default();
    let count = bench.options.rounds(5);
    for round in 0..count {
        eprintln!("store: round {} of {count}", round + 1);
        for (callers, results) in CALLERS.into_iter().zip(&mut results) {
            let beside = pgbench.run(bench, &bench.database, PGBENCH_CLIENTS, window)?;
            let output = Command::new(own_program("store")?)
                .args(
                    [callers, window.as_millis() as usize, USERS].map(|number| number.to_string()),
                )
                .env("DATABASE_URL", bench.database.url())
                .output()?;
            let result: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
                format!(
                    "the store failed: {}",
                    String::from_utf8_lossy(&output.stderr)
                )
            })?;
            let of = |name: &str| result[name].as_f64().unwrap_or(f64::NAN);
            results.push([of("per_second"), beside, of("p50"), of("p99")]);
        }
    }
    let mut table = TextTable {
        header: vec![
            "callers",
            "lookups/s",
            "pgbench -c 8",
            "ratio",
            "p50 ms",
            "p99 ms",
        ],
        rows: Vec::new(),
    };
    let mut data = Vec::new();
    for (callers, results) in CALLERS.into_iter().zip(&results) {
        let of = |column: usize| results.iter().map(|row| row[column]).collect::<Vec<_>>();
        let ratios: Vec<f64> = results.iter().map(|row| row[0] / row[1]).collect();
        table.rows.push(vec![
            callers.to_string(),
            number(median(&of(0))),
            number(median(&of(1))),
            format!("{:.2}", median(&ratios)),
            format!("{:.2}", median(&of(2)) / 1e3),
            format!("{:.2}", median(&of(3)) / 1e3),
        ]);
        data.push(json!({"callers": callers, "per_second": of(0), "pgbench": of(1), "p50_us": of(2), "p99_us": of(3)}));
    }
    Ok(Findings {
        tables: vec![table],
        charts: Vec::new(),
        data: data.into(),
    })
}
