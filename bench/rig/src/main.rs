//! Compares better-auth-layer with servers without authentication (floors) and with other
//! authentication libraries (yardsticks), on loopback, with a temporary PostgreSQL server.
//! `cargo xtask bench` builds and starts it.

mod accounting;
mod bench;
mod contestant;
mod database;
mod deployment;
mod drawing;
mod error;
mod findings;
mod latencies;
mod load;
mod options;
mod parts;
mod pgbench;
mod prerequisites;
mod report;
mod server;

use std::process::ExitCode;

use self::bench::Bench;
use self::contestant::Group;
use self::error::Error;
use self::findings::Findings;
use self::options::{Options, Part, USAGE};

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The load generator uses one thread and therefore at most one core.
#[tokio::main(flavor = "current_thread")]
async fn run() -> Result<(), Error> {
    let options = Options::parse(std::env::args().skip(1))?;
    if options.write {
        report::check()?;
    }
    if options.has(Part::Table) {
        prerequisites::install(&options.groups)?;
    }
    let bench = Bench::new(options).await?;
    let setting = setting(&bench).await?;
    println!("{setting}");
    let tell = |name: &str, findings: Findings| {
        report::print(name, &findings);
        if bench.options.write {
            report::write(name, &setting, &findings)
        } else {
            Ok(())
        }
    };
    if bench.options.has(Part::Table) {
        tell("table", parts::table::run(&bench).await?)?;
    }
    if bench.options.has(Part::Store) {
        tell("store", parts::store::run(&bench).await?)?;
    }
    if bench.options.has(Part::Sqlite) {
        tell("sqlite", parts::sqlite::run(&bench).await?)?;
    }
    if bench.options.has(Part::Latency) {
        tell("latency", parts::latency::run(&bench).await?)?;
    }
    if bench.options.has(Part::Revocation) {
        tell("revocation", parts::revocation::run(&bench).await?)?;
    }
    if bench.options.has(Part::Scaling) {
        tell("scaling", parts::scaling::run(&bench).await?)?;
    }
    if bench.options.has(Part::Memory) {
        tell("memory", parts::memory::run(&bench.options)?)?;
    }
    Ok(())
}

/// Date and machine of the measurement.
async fn setting(bench: &Bench) -> Result<String, Error> {
    let client = bench.database.client().await;
    let postgres: String = client.query_one("SHOW server_version", &[]).await?.get(0);
    let postgres = postgres.split(' ').next().unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    let mut programs = vec![format!("PostgreSQL {postgres}")];
    programs.extend(
        prerequisites::version("rustc").and_then(|text| text.split(" (").next().map(str::to_owned)),
    );
    let has = |part, group| bench.options.has(part) && bench.options.groups.contains(&group);
    if has(Part::Table, Group::Node) {
        programs.extend(
            prerequisites::version("node")
                .map(|version| format!("Node.js {}", version.trim_start_matches('v'))),
        );
    }
    if has(Part::Table, Group::Python) {
        programs.extend(prerequisites::version("python3"));
    }
    Ok(format!(
        "Run of {}: {cores} cores, {}; {} in each Rust server.",
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        programs.join(", "),
        match bench.options.workers {
            1 => "one thread".to_owned(),
            workers => format!("{workers} threads"),
        },
    ))
}
