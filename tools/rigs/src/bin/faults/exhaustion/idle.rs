//! Ten thousand connections on which nothing happens: half of them never say a word, the others have asked once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::finding::Check;
use crate::options::Scale;
use crate::rig::{Connection, EarlierWaves, Kind, People, World};

const MANY: u64 = 10_000;
const EARLIER: usize = 4;

/// At a time, so that none waits for another one's handshake.
const SIDE_BY_SIDE: u64 = 50;

/// An idle connection is closed after ten seconds.
const CUT_OFF: Duration = Duration::from_secs(15);

/// What may be taken meanwhile, in MiB: ten KiB for a connection.
const PEAK: u64 = 160;

pub(crate) async fn run(scale: Scale) -> Check {
    let world = World::usual().await;
    let many = scale.of(MANY);
    world.server.process.must_be_able_to_open(many);
    let (mut earlier, mut violations) = (EarlierWaves::begin(&world), Vec::new());
    for _ in 0..EARLIER {
        violations.extend(wave(&world, many).await.1);
        earlier.is_over();
    }
    let strain = earlier.last(&world, |_| false).await;
    let begin = Instant::now();
    let (answers, wrong) = wave(&world, many).await;
    violations.extend(wrong);
    violations.truncate(3);
    let answers = format!("{answers}; {}", earlier.text());
    let took = begin.elapsed();
    strain.conclude(answers, took, PEAK, violations).await
}

/// Opens all of them, and waits until all are closed.
async fn wave(world: &World, many: u64) -> (String, Vec<String>) {
    let mut openers = JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        let (address, people) = (world.server.address, Arc::clone(&world.backing.people));
        openers.spawn(open(address, people, many / SIDE_BY_SIDE));
    }
    let (mut connections, mut violations) = (Vec::new(), Vec::new());
    for outcome in openers.join_all().await {
        match outcome {
            Ok(opened) => connections.extend(opened),
            Err(error) => violations.push(format!("the server {error}")),
        }
    }
    let held = world.server.process.footprint(0).files;
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
    people: Arc<People>,
    many: u64,
) -> Result<Vec<Connection>, String> {
    let mut opened = Vec::new();
    for number in 0..many {
        let mut connection = Connection::open(address).await?;
        if number % 2 == 0 {
            let reply = connection.ask(&people.requests(Kind::Bad)[0].bytes).await?;
            if reply.status != 401 {
                return Err(format!("answers {}", reply.status));
            }
        }
        opened.push(connection);
    }
    Ok(opened)
}
