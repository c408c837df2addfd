//! The SQLite store, compared with a loop that runs the same query on one thread.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::bench::{Bench, USERS};
use crate::database::SESSIONS;
use crate::error::Error;
use crate::findings::{Findings, TextTable, median, number};
use crate::server::own_program;

const CALLERS: [usize; 4] = [1, 8, 64, 512];

/// The store's default, and one.
const CONNECTIONS: [usize; 2] = [4, 1];

/// The tables of Better Auth's migration.
const TABLES: &str = r#"
    CREATE TABLE "user" ("id" text not null primary key, "name" text not null, "email" text not null unique,
        "emailVerified" integer not null, "image" text, "createdAt" date not null, "updatedAt" date not null, "role" text,
        "banned" integer, "banReason" text, "banExpires" date);
    CREATE TABLE "session" ("id" text not null primary key, "expiresAt" date not null, "token" text not null unique,
        "createdAt" date not null, "updatedAt" date not null, "ipAddress" text, "userAgent" text,
        "userId" text not null references "user" ("id") on delete cascade, "impersonatedBy" text);
    CREATE INDEX "session_userId_idx" ON "session" ("userId");"#;

/// The query of a hand-written service.
const JOINED: &str = r#"SELECT u."id", u."email", u."name", u."role", s."id", s."token", s."expiresAt"
    FROM "user" u LEFT JOIN "session" s ON s."id" = (SELECT c."id" FROM "session" c
        WHERE c."userId" = u."id" AND c."expiresAt" > ?2 ORDER BY c."expiresAt" DESC LIMIT 1)
    WHERE u."email" = ?1"#;

pub(crate) async fn run(bench: &Bench) -> Result<Findings, Error> {
    let folder = std::env::temp_dir().join(format!("better-auth-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let findings = measure(bench, &folder.join("auth.sqlite"));
    std::fs::remove_dir_all(&folder)?;
    findings
}

fn measure(bench: &Bench, path: &Path) -> Result<Findings, Error> {
    make(path)?;
    let mut floors = Vec::new();
    // Connections, callers and results.
    let mut results: Vec<(usize, usize, Value)> = Vec::new();
    let count = bench.options.rounds(5);
    for round in 0..count {
        eprintln!("sqlite: round {} of {count}", round + 1);
        floors.push(floor(bench, path)?);
        for callers in CALLERS {
            for connections in CONNECTIONS {
                results.push((
                    connections,
                    callers,
                    ask(bench, path, callers, connections)?,
                ));
            }
        }
    }
    let floor = median(&floors);
    let row = |what: String, callers: usize, figures: [f64; 4]| {
        let [per_second, processor, p50, p99] = figures;
        vec![
            what,
            callers.to_string(),
            number(per_second),
            format!("{:.2}", per_second / floor),
            format!("{processor:.1}"),
            format!("{:.2}", p50 / 1e3),
            format!("{:.2}", p99 / 1e3),
        ]
    };
    let each = 1e6 / floor;
    let mut rows = vec![row(
        "a loop on one thread".to_owned(),
        1,
        [floor, each, each, each],
    )];
    for connections in CONNECTIONS {
        for callers in CALLERS {
            let figures = ["per_second", "processor", "p50", "p99"].map(|name| {
                let of_it = results
                    .iter()
                    .filter(|result| (result.0, result.1) == (connections, callers));
                let figures: Vec<f64> =
                    of_it.filter_map(|result| result.2[name].as_f64()).collect();
                median(&figures)
            });
            rows.push(row(format!("connections: {connections}"), callers, figures));
        }
    }
    let data: Value = results
        .iter()
        .map(|(connections, callers, result)| {
            json!({"connections": connections, "callers": callers, "result": result})
        })
        .collect();
    let header = vec![
        "SqliteStore",
        "callers",
        "lookups/s",
        "to the loop",
        "processor µs",
        "p50 ms",
        "p99 ms",
    ];
    Ok(Findings {
        tables: vec![TextTable { header, rows }],
        charts: Vec::new(),
        data: json!({"floors": floors, "store": data}),
    })
}

/// A file with users `1..=USERS` and as many sessions for each as in the other databases.
fn make(path: &Path) -> Result<(), Error> {
    let file = Connection::open(path)?;
    file.pragma_update(None, "journal_mode", "WAL")?;
    let rows = format!(
        r#"BEGIN; {TABLES}
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {USERS})
        INSERT INTO "user" SELECT 'usr_' || n, 'User ' || n, 'user' || n || '@example.com', 1, NULL,
            '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 'user', 0, NULL, NULL FROM n;
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {USERS}),
            k(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM k WHERE k < {SESSIONS})
        INSERT INTO "session" SELECT 'ses_' || n || '_' || k, '2100-01-01T00:00:0' || k || '.000Z',
            printf('%032d', n * 10 + k), '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '127.0.0.1', 'bench',
            'usr_' || n, NULL FROM n, k;
        COMMIT;"#
    );
    Ok(file.execute_batch(&rows)?)
}

/// Lookups per second of the loop.
fn floor(bench: &Bench, path: &Path) -> Result<f64, Error> {
    let file = Connection::open(path)?;
    let mut statement = file.prepare(JOINED)?;
    let (began, window) = (Instant::now(), bench.options.window());
    let (mut count, mut random) = (0, 1_u64);
    while began.elapsed() < window {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let address = format!("user{}@example.com", random % USERS as u64 + 1);
        let session: String =
            statement.query_row([&*address, "2026-01-01T00:00:00.000Z"], |row| row.get(4))?;
        assert!(session.starts_with("ses_"), "{session}");
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

fn ask(bench: &Bench, path: &Path, callers: usize, connections: usize) -> Result<Value, Error> {
    let window = bench.options.window().as_millis() as usize;
    let output = Command::new(own_program("store")?)
        .args([callers, window, USERS, connections].map(|number| number.to_string()))
        .env("DATABASE_URL", format!("sqlite:{}", path.display()))
        .output()?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let text = String::from_utf8_lossy(&output.stderr);
        format!("the store failed: {text}").into()
    })
}
