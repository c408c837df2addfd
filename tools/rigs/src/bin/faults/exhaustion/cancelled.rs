//! Clients that disconnect after ten milliseconds while a lock blocks every lookup.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::check::Check;
use crate::options::Scale;
use crate::rig::{Connection, Fixture, Kind, Overload};

const MANY: u64 = 5_000;
const SIDE_BY_SIDE: u64 = 100;
const PATIENCE: Duration = Duration::from_millis(10);

/// The longest time for which their lookups may continue.
const FORGOTTEN: Duration = Duration::from_secs(2);

/// The limit of memory growth in MiB.
const PEAK: u64 = 64;

pub(crate) async fn run(scale: Scale) -> Check {
    let fixture = Fixture::usual().await;
    let address = fixture.server.address;
    let overload = Overload::begin(&fixture, Kind::needs_store).await;
    let holder = fixture.backing.database.client().await;
    let lock = r#"BEGIN; LOCK TABLE "session" IN ACCESS EXCLUSIVE MODE"#;
    holder.batch_execute(lock).await.expect("nobody else locks");
    let begin = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..SIDE_BY_SIDE {
        let users = fixture.backing.users.clone();
        clients.spawn(async move {
            let requests = users.requests(Kind::NoUser);
            let (mut left, mut answered) = (0, 0);
            for nth in 0..scale.of(MANY) / SIDE_BY_SIDE {
                let asked = &requests[(number + nth) as usize % requests.len()];
                let mut connection = Connection::open(address).await?;
                match timeout(PATIENCE, connection.ask(&asked.bytes)).await {
                    Ok(reply) => answered += u64::from(reply?.status != 503),
                    Err(_) => left += 1,
                }
            }
            Ok::<_, String>((left, answered))
        });
    }
    let (mut left, mut violations) = (0, Vec::new());
    for outcome in clients.join_all().await {
        match outcome {
            Ok((of_one, 0)) => left += of_one,
            Ok((_, answered)) => violations.push(format!("{answered} answers through a lock")),
            Err(error) => violations.push(format!("the server {error}")),
        }
    }
    violations.truncate(3);
    let took = begin.elapsed();
    sleep(FORGOTTEN).await;
    let waiting = fixture
        .backing
        .connections("AND wait_event_type = 'Lock'")
        .await;
    holder.batch_execute("ROLLBACK").await.expect("it is ours");
    let answers = format!("left: {left}, lookups under way then: {}", waiting.len());
    overload.conclude(answers, took, PEAK, violations).await
}
