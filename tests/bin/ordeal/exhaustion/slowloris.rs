//! Clients that send a byte a second, to hold a connection each for as long as they are let.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::finding::Finding;
use crate::options::Scale;
use crate::rig::{Connection, Strain, World, post};

const MANY: u64 = 2_000;
const PACE: Duration = Duration::from_secs(1);

/// A head has to be there after ten seconds.
const CUT_OFF: Duration = Duration::from_secs(12);

/// What may be taken meanwhile, in MiB.
const PEAK: u64 = 64;

pub(crate) async fn run(scale: Scale) -> Finding {
    let world = World::usual().await;
    let address = world.server.address;
    let strain = Strain::begin(&world, |_| false).await;
    let begin = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..scale.of(MANY) {
        clients.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let begin = Instant::now();
            for byte in post("") {
                connection.send(&[byte]).await?;
                // It ends early when the server hangs up.
                if timeout(PACE, connection.closed()).await.is_ok() {
                    return Ok(begin.elapsed());
                }
                if begin.elapsed() > CUT_OFF {
                    return Err("lets a client send a byte a second".to_owned());
                }
            }
            Err("takes a head in single bytes".to_owned())
        });
    }
    let (mut closed, mut first, mut violations) = (0, CUT_OFF, Vec::new());
    for outcome in clients.join_all().await {
        match outcome {
            Ok(after) => (closed, first) = (closed + 1, first.min(after)),
            Err(error) => violations.push(format!("the server {error}")),
        }
    }
    violations.truncate(3);
    let took = begin.elapsed();
    let answers = format!(
        "cut off: {closed}, the first after {:.1} s",
        first.as_secs_f64()
    );
    strain.conclude(answers, took, PEAK, violations).await
}
