//! The long run of `rigs::soak`, started by `cargo xtask soak`. Exit code 0: every response was
//! right.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cluster::{ClusterOptions, OwnCluster};
use rigs::soak::{Length, run};

/// The pause of a writer after each change.
const PAUSE: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let length = match &*arguments {
        [] => Some(Length::Requests(10_000_000, 1_000_000)),
        [one] => length(one),
        _ => None,
    };
    let Some(length) = length else {
        eprintln!("usage: soak [REQUESTS | SECONDSs]");
        return ExitCode::from(2);
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    println!("seed {}", since.as_secs());
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let database = cluster.create_database().await;
    let summary = run(&database, length, PAUSE, since.as_secs()).await;
    print!("{summary}");
    if summary.mistakes() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// `500000`: the number of requests through the service, and a tenth of it over HTTP. `60s`: the
/// seconds of each.
fn length(text: &str) -> Option<Length> {
    if let Some(seconds) = text.strip_suffix('s') {
        return Some(Length::Time(Duration::from_secs(seconds.parse().ok()?)));
    }
    let requests = text.parse().ok()?;
    Some(Length::Requests(requests, requests / 10))
}
