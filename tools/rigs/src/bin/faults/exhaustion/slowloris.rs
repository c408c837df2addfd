//! Clients that send one byte per second to keep connections open.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::check::Check;
use crate::options::Scale;
use crate::rig::{Connection, EarlierWaves, Fixture, post};

const MANY: u64 = 2_000;
const EARLIER: usize = 3;
const PACE: Duration = Duration::from_secs(1);

/// A head must be complete after ten seconds.
const CUT_OFF: Duration = Duration::from_secs(12);

/// The limit of memory growth in MiB.
const PEAK: u64 = 64;

pub(crate) async fn run(scale: Scale) -> Check {
    let fixture = Fixture::usual().await;
    let (address, many) = (fixture.server.address, scale.of(MANY));
    let (mut earlier, mut violations) = (EarlierWaves::begin(&fixture), Vec::new());
    for _ in 0..EARLIER {
        violations.extend(wave(address, many).await.violations);
        earlier.is_over();
    }
    let overload = earlier.last(&fixture, |_| false).await;
    let begin = Instant::now();
    let wave = wave(address, many).await;
    violations.extend(wave.violations);
    violations.truncate(3);
    let answers = format!(
        "cut off: {}, the earliest after {:.1} s; {}",
        wave.cut_off,
        wave.earliest.as_secs_f64(),
        earlier.text(),
    );
    let took = begin.elapsed();
    overload.conclude(answers, took, PEAK, violations).await
}

struct Wave {
    cut_off: usize,
    earliest: Duration,
    violations: Vec<String>,
}

async fn wave(address: SocketAddr, many: u64) -> Wave {
    let mut clients = JoinSet::new();
    for _ in 0..many {
        clients.spawn(client(address));
    }
    let mut wave = Wave {
        cut_off: 0,
        earliest: CUT_OFF,
        violations: Vec::new(),
    };
    for outcome in clients.join_all().await {
        match outcome {
            Ok(after) => {
                wave.cut_off += 1;
                wave.earliest = wave.earliest.min(after);
            }
            Err(error) => wave.violations.push(format!("the server {error}")),
        }
    }
    wave
}

/// The time until the connection is closed.
async fn client(address: SocketAddr) -> Result<Duration, String> {
    let mut connection = Connection::open(address).await?;
    let begin = Instant::now();
    for byte in post("") {
        connection.send(&[byte]).await?;
        // Ends early when the server closes the connection.
        if timeout(PACE, connection.closed()).await.is_ok() {
            return Ok(begin.elapsed());
        }
        if begin.elapsed() > CUT_OFF {
            return Err("lets a client send a byte a second".to_owned());
        }
    }
    Err("takes a head in single bytes".to_owned())
}
