//! All servers under the same load, in alternating rounds. Each server is compared with the floor of
//! the same round, so that disturbances affect both.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::json;

use crate::accounting::peak_memory;
use crate::bench::Bench;
use crate::contestant::{Contestant, HYPER, all};
use crate::error::Error;
use crate::findings::{Chart, ChartKind, Findings, TextTable, median, number};
use crate::load::{Load, Requests, Round, requests};
use crate::server::Server;

pub(crate) async fn run(bench: &Bench) -> Result<Findings, Error> {
    let groups = &bench.options.groups;
    let contestants: Vec<Contestant> = all()
        .into_iter()
        .filter(|one| groups.contains(&one.group) || one.program == HYPER)
        .collect();
    let mut servers = HashMap::new();
    let mut traffic: HashMap<_, Requests> = HashMap::new();
    for one in &contestants {
        if let Entry::Vacant(place) = servers.entry(one.key()) {
            place.insert(bench.server(one.program, one.credential, &bench.database)?);
        }
        traffic
            .entry((one.credential, one.users))
            .or_insert_with(|| requests(&bench.deployment, one.credential, one.users));
    }
    let postmaster = bench.cluster.postmaster_pid();
    let measure = async |one: &Contestant, load: Load| {
        let server = servers.get(&one.key()).ok_or("a server is missing")?;
        let requests = traffic
            .get(&(one.credential, one.users))
            .ok_or("its requests are missing")?;
        load.run(&[server], requests, postmaster).await
    };

    // Warm-up: fills caches, prepares statements, compiles JavaScript.
    for one in &contestants {
        let window = bench.options.window() / 2;
        measure(
            one,
            Load {
                connections: one.connections,
                warm_up: window,
                window: window / 10,
            },
        )
        .await?;
    }
    let mut rounds: Vec<Vec<Round>> = contestants.iter().map(|_| Vec::new()).collect();
    let count = bench.options.rounds(5);
    for round in 0..count {
        eprintln!("table: round {} of {count}", round + 1);
        let mut order: Vec<usize> = (0..contestants.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let one = &contestants[index];
            let load = Load {
                connections: one.connections,
                warm_up: bench.options.warm_up(),
                window: bench.options.window(),
            };
            rounds[index].push(measure(one, load).await?);
        }
    }
    Rows {
        contestants,
        rounds,
        servers: &servers,
    }
    .findings()
}

struct Rows<'a> {
    contestants: Vec<Contestant>,
    rounds: Vec<Vec<Round>>,
    servers: &'a HashMap<(crate::contestant::Program, crate::deployment::Credential), Server>,
}

impl Rows<'_> {
    fn findings(&self) -> Result<Findings, Error> {
        let mut table = TextTable {
            header: vec![
                "server",
                "checks",
                "server µs",
                "lowest–highest",
                "PostgreSQL µs",
                "req/s to hyper's",
                "p50 ms",
                "p99 ms",
                "peak MiB",
            ],
            rows: Vec::new(),
        };
        let mut data = Vec::new();
        let (mut tokens, mut lookups) = (Vec::new(), Vec::new());
        for (one, rounds) in self.contestants.iter().zip(&self.rounds) {
            let of = |value: fn(&Round) -> f64| -> Vec<f64> { rounds.iter().map(value).collect() };
            let server = of(|round| round.server_us);
            let (lowest, highest) = server
                .iter()
                .fold((f64::MAX, 0.0_f64), |(low, high), &value| {
                    (low.min(value), high.max(value))
                });
            let postgres = median(&of(|round| round.postgres_us));
            let ratios: Vec<f64> = rounds
                .iter()
                .zip(self.floor(one)?)
                .map(|(round, floor)| round.per_second / floor.per_second)
                .collect();
            let (p50, p99) = (
                median(&of(|round| round.p50_us)),
                median(&of(|round| round.p99_us)),
            );
            let process = self.servers.get(&one.key()).ok_or("a server is missing")?;
            let memory = peak_memory(process.pid())? as f64 / f64::from(1 << 20);
            table.rows.push(vec![
                one.title.to_owned(),
                one.checks.to_owned(),
                number(median(&server)),
                format!("{}–{}", number(lowest), number(highest)),
                if one.asks_a_database() {
                    number(postgres)
                } else {
                    "–".to_owned()
                },
                format!("{:.3}", median(&ratios)),
                format!("{:.2}", p50 / 1e3),
                format!("{:.2}", p99 / 1e3),
                number(memory),
            ]);
            data.push(json!({
                "server": one.title.replace(['*', '`'], ""), "server_us": server, "postgres_us": of(|round| round.postgres_us),
                "ratio": ratios, "per_second": of(|round| round.per_second), "p50_us": of(|round| round.p50_us),
                "p99_us": of(|round| round.p99_us), "peak_mib": memory,
            }));
            let bar = (
                one.title.replace(['*', '`'], ""),
                [
                    median(&server),
                    if one.asks_a_database() { postgres } else { 0.0 },
                ],
            );
            if one.asks_a_database() {
                lookups.push(bar);
            } else {
                tokens.push(bar);
            }
        }
        let mut charts = vec![Chart {
            name: "servers",
            title: "CPU time per request without a database query",
            unit: "µs of server CPU time",
            kind: ChartKind::Bars {
                bars: tokens,
                is_logarithmic: false,
            },
        }];
        if !lookups.is_empty() {
            charts.push(Chart {
                name: "lookups",
                title: "CPU time per request with a database query",
                unit: "µs of CPU time on a logarithmic axis: server, and PostgreSQL in orange",
                kind: ChartKind::Bars {
                    bars: lookups,
                    is_logarithmic: true,
                },
            });
        }
        Ok(Findings {
            tables: vec![table],
            charts,
            data: data.into(),
        })
    }

    fn floor(&self, one: &Contestant) -> Result<&Vec<Round>, Error> {
        let mut rows = self.contestants.iter().zip(&self.rounds);
        let floor = rows.find(|(other, _)| other.is_floor_of(one));
        Ok(floor
            .ok_or("no floor with the same number of connections")?
            .1)
    }
}
