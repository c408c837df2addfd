//! Ten thousand idle connections: half of them never send a request, the others have sent one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::check::Check;
use crate::options::Scale;
use crate::rig::{Connection, EarlierWaves, Fixture, Kind, Users};

const MANY: u64 = 10_000;
const EARLIER: usize = 4;

/// The number of concurrent handshakes.
const SIDE_BY_SIDE: u64 = 50;

/// An idle connection is closed after ten seconds.
const CUT_OFF: Duration = Duration::from_secs(15);

/// The limit of memory growth in MiB: ten KiB for each connection.
const PEAK: u64 = 160;

pub(crate) async fn run(scale: Scale) -> Check {
    let fixture = Fixture::usual().await;
    let many = scale.of(MANY);
    fixture.server.process.must_be_able_to_open(many);
    let (mut earlier, mut violations) = (EarlierWaves::begin(&fixture), Vec::new());
    for _ in 0..EARLIER {
        violations.extend(wave(&fixture, many).await.1);
        earlier.is_over();
    }
    let overload = earlier.last(&fixture, |_| false).await;
    let begin = Instant::now();
    let (answers, wrong) = wave(&fixture, many).await;
    violations.extend(wrong);
    violations.truncate(3);
    let answers = format!("{answers}; {}", earlier.text());
    let took = begin.elapsed();
    overload.conclude(answers, took, PEAK, violations).await
}

/// Opens all connections and waits until all are closed.
async fn wave(fixture: &Fixture, many: u64) -> (String, Vec<String>) {
    let mut openers = JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        let (address, users) = (fixture.server.address, Arc::clone(&fixture.backing.users));
        openers.spawn(open(address, users, many / SIDE_BY_SIDE));
    }
    let (mut connections, mut violations) = (Vec::new(), Vec::new());
    for outcome in openers.join_all().await {
        match outcome {
            Ok(opened) => connections.extend(opened),
            Err(error) => violations.push(format!("the server {error}")),
        }
    }
    let held = fixture.server.process.footprint(0).files;
    if (held as u64) < many {
        violations.push(format!(
            "only {held} files were open, of {many} connections"
        ));
    }
    let mut closed = JoinSet::new();
    for mut connection in connections {
        closed.spawn(async move { timeout(CUT_OFF, connection.closed()).await.is_ok() });
    }
    let closed = closed.join_all().await;
    let closed = closed.into_iter().filter(|closed| *closed).count();
    if (closed as u64) < many {
        violations.push(format!("{closed} of {many} connections were closed"));
    }
    (format!("held: {held} files, closed: {closed}"), violations)
}

async fn open(
    address: SocketAddr,
    users: Arc<Users>,
    many: u64,
) -> Result<Vec<Connection>, String> {
    let mut opened = Vec::new();
    for number in 0..many {
        let mut connection = Connection::open(address).await?;
        if number % 2 == 0 {
            let reply = connection.ask(&users.requests(Kind::Bad)[0].bytes).await?;
            if reply.status != 401 {
                return Err(format!("answers {}", reply.status));
            }
        }
        opened.push(connection);
    }
    Ok(opened)
}
