//! The cost of a request as users, sessions, connections and processes grow.

use std::ops::Range;

use cluster::postgres::Database;
use serde_json::json;

use crate::bench::{Bench, USERS};
use crate::contestant::{HYPER, OURS_CACHED, OURS_POSTGRES, Program};
use crate::database::{SESSIONS, with_users};
use crate::deployment::Credential;
use crate::error::Error;
use crate::findings::{Chart, ChartKind, Findings, Line, TextTable, median, number, whole};
use crate::load::{Load, Requests, Round, request, requests};
use crate::server::Server;

const CREDENTIAL: Credential = Credential::Hs256;

/// Users that send requests, out of all users.
const ACTIVE: usize = 20_000;

/// Users, and sessions of each. The product is constant, so the index size is too.
const SESSIONS_PER_USER: [(usize, usize); 5] = [
    (2_000, 1),
    (2_000, 10),
    (1_000, 100),
    (200, 1_000),
    (30, 10_000),
];

pub(crate) async fn run(bench: &Bench) -> Result<Findings, Error> {
    let mut findings = Findings::default();
    let mut data = serde_json::Map::new();
    for curve in [
        users(bench).await?,
        sessions(bench).await?,
        connections(bench).await?,
        processes(bench).await?,
    ] {
        data.insert(curve.name.to_owned(), curve.data());
        findings.tables.push(curve.table());
        findings.charts.push(curve.chart());
    }
    findings.data = data.into();
    Ok(findings)
}

/// Points that take turns.
struct Curve {
    name: &'static str,
    title: &'static str,
    x: &'static str,
    points: Vec<Point>,
}

struct Point {
    x: usize,
    line: &'static str,
    rounds: Vec<Round>,
}

/// The measurement of a point.
struct Setting<'a> {
    x: usize,
    line: &'static str,
    servers: Vec<&'a Server>,
    requests: Requests,
    connections: usize,
}

impl Curve {
    async fn measure(
        name: &'static str,
        title: &'static str,
        x: &'static str,
        bench: &Bench,
        settings: &[Setting<'_>],
    ) -> Result<Self, Error> {
        let mut points: Vec<Point> = settings
            .iter()
            .map(|setting| Point {
                x: setting.x,
                line: setting.line,
                rounds: Vec::new(),
            })
            .collect();
        let count = bench.options.rounds(3);
        for round in 0..count {
            eprintln!("scaling, {name}: round {} of {count}", round + 1);
            for (setting, point) in settings.iter().zip(&mut points) {
                let load = Load {
                    connections: setting.connections,
                    warm_up: bench.options.warm_up(),
                    window: bench.options.window() / 2,
                };
                let postmaster = bench.cluster.postmaster_pid();
                point.rounds.push(
                    load.run(&setting.servers, &setting.requests, postmaster)
                        .await?,
                );
            }
        }
        Ok(Self {
            name,
            title,
            x,
            points,
        })
    }

    fn table(&self) -> TextTable {
        let header = vec![
            self.x,
            "server",
            "server µs",
            "PostgreSQL µs",
            "req/s",
            "p50 ms",
            "p99 ms",
        ];
        let rows = self.points.iter().map(|point| {
            let of = |value| point.median(value);
            vec![
                whole(point.x),
                point.line.to_owned(),
                number(of(|round| round.server_us)),
                number(of(|round| round.postgres_us)),
                number(of(|round| round.per_second)),
                format!("{:.2}", of(|round| round.p50_us) / 1e3),
                format!("{:.2}", of(|round| round.p99_us) / 1e3),
            ]
        });
        TextTable {
            header,
            rows: rows.collect(),
        }
    }

    fn chart(&self) -> Chart {
        let mut lines: Vec<Line> = Vec::new();
        for point in &self.points {
            let mut add = |name: String, value: fn(&Round) -> f64| {
                let at = (point.x as f64, point.median(value));
                match lines.iter_mut().find(|line| line.name == name) {
                    Some(line) => line.points.push(at),
                    None => lines.push(Line {
                        name,
                        points: vec![at],
                    }),
                }
            };
            add(format!("{}: server", point.line), |round| round.server_us);
            if point.line == ASKED {
                add(format!("{}: PostgreSQL", point.line), |round| {
                    round.postgres_us
                });
            }
        }
        Chart {
            name: self.name,
            title: self.title,
            unit: "µs of CPU time per request",
            kind: ChartKind::Lines { x: self.x, lines },
        }
    }

    fn data(&self) -> serde_json::Value {
        let points = self.points.iter().map(|point| {
            let of = |value: fn(&Round) -> f64| point.rounds.iter().map(value).collect::<Vec<_>>();
            json!({
                "x": point.x, "line": point.line, "server_us": of(|round| round.server_us),
                "postgres_us": of(|round| round.postgres_us), "per_second": of(|round| round.per_second),
            })
        });
        points.collect::<Vec<_>>().into()
    }
}

impl Point {
    fn median(&self, value: fn(&Round) -> f64) -> f64 {
        median(&self.rounds.iter().map(value).collect::<Vec<_>>())
    }
}

const ASKED: &str = "database asked";
const CACHED: &str = "cached";
const FLOOR: &str = "no authentication";

async fn users(bench: &Bench) -> Result<Curve, Error> {
    let counts: &[usize] = if bench.options.quick {
        &[1_000, 10_000]
    } else {
        &[1_000, 10_000, 1_000_000]
    };
    let mut databases = Vec::new();
    for &count in counts {
        eprintln!("making {count} users");
        databases.push((count, with_users(&bench.cluster, count, SESSIONS).await?));
    }
    let of_bench = (USERS, &bench.database);
    let mut all: Vec<(usize, &Database)> = databases
        .iter()
        .map(|(count, database)| (*count, database))
        .chain([of_bench])
        .collect();
    all.sort_by_key(|(count, _)| *count);
    let mut servers = Vec::new();
    for (count, database) in &all {
        let step = count.div_ceil(ACTIVE);
        let requests = (1..=*count)
            .step_by(step)
            .map(|user| request(&bench.deployment.header(CREDENTIAL, user)));
        let requests: Requests = requests.collect();
        servers.push((
            *count,
            bench.server(OURS_POSTGRES, CREDENTIAL, database)?,
            requests,
        ));
    }
    let settings: Vec<Setting<'_>> = servers
        .iter()
        .map(|(count, server, requests)| Setting {
            x: *count,
            line: ASKED,
            servers: vec![server],
            requests: requests.clone(),
            connections: 64,
        })
        .collect();
    Curve::measure("users", "Users in the database", "users", bench, &settings).await
}

/// Uses one connection, because identical concurrent lookups share a query.
async fn sessions(bench: &Bench) -> Result<Curve, Error> {
    let cases = if bench.options.quick {
        &SESSIONS_PER_USER[..3]
    } else {
        &SESSIONS_PER_USER
    };
    let mut servers = Vec::new();
    for &(users, sessions) in cases {
        let database = with_users(&bench.cluster, users, sessions).await?;
        let server = bench.server(OURS_POSTGRES, CREDENTIAL, &database)?;
        servers.push((
            sessions,
            database,
            server,
            requests(&bench.deployment, CREDENTIAL, users),
        ));
    }
    let settings: Vec<Setting<'_>> = servers
        .iter()
        .map(|(sessions, _, server, requests)| Setting {
            x: *sessions,
            line: ASKED,
            servers: vec![server],
            requests: requests.clone(),
            connections: 1,
        })
        .collect();
    Curve::measure(
        "sessions",
        "Sessions of each user, one request at a time",
        "sessions per user",
        bench,
        &settings,
    )
    .await
}

async fn connections(bench: &Bench) -> Result<Curve, Error> {
    let start = |program: Program| bench.server(program, CREDENTIAL, &bench.database);
    let servers = [
        (FLOOR, start(HYPER)?, 1_000),
        (CACHED, start(OURS_CACHED)?, 1_000),
        (ASKED, start(OURS_POSTGRES)?, ACTIVE),
    ];
    let mut settings = Vec::new();
    for (line, server, users) in &servers {
        let requests = requests(&bench.deployment, CREDENTIAL, *users);
        for connections in [1, 8, 64, 256, 1_024] {
            settings.push(Setting {
                x: connections,
                line,
                servers: vec![server],
                requests: requests.clone(),
                connections,
            });
        }
    }
    Curve::measure(
        "connections",
        "Connections of clients",
        "connections",
        bench,
        &settings,
    )
    .await
}

async fn processes(bench: &Bench) -> Result<Curve, Error> {
    const MOST: usize = 4;
    let start = |_| bench.server(OURS_POSTGRES, CREDENTIAL, &bench.database);
    let servers: Vec<Server> = Range {
        start: 0,
        end: MOST,
    }
    .map(start)
    .collect::<Result<_, _>>()?;
    let requests = requests(&bench.deployment, CREDENTIAL, ACTIVE);
    let settings: Vec<Setting<'_>> = (1..=MOST)
        .map(|count| Setting {
            x: count,
            line: ASKED,
            servers: servers.iter().take(count).collect(),
            requests: requests.clone(),
            connections: 64,
        })
        .collect();
    Curve::measure(
        "processes",
        "Server processes on one PostgreSQL",
        "processes",
        bench,
        &settings,
    )
    .await
}
