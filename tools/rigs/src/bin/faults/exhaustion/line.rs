//! More lookups at the same time than may wait for the database, which is held up by a lock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::token::{HEADER, SECRET, sign_raw};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::finding::Check;
use crate::options::Scale;
use crate::rig::{CheckStatus, Connection, EarlierWaves, Kind, World, bearer, mail_claims, post};

const MANY: usize = 3_000;
const EARLIER: usize = 3;

/// On their way to the database, and in the line.
const ROOM: usize = 2 * 8 + 1024;

/// Less than the deadline of a lookup: whoever has a place is answered in time.
const LASTS: Duration = Duration::from_secs(3);

/// Whoever has none is told before that, on a machine under load as well.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What may be taken meanwhile, in MiB.
const PEAK: u64 = 96;

pub(crate) async fn run(_: Scale) -> Check {
    let world = World::usual().await;
    let address = world.server.address;
    let mut earlier = EarlierWaves::begin(&world);
    for _ in 0..EARLIER {
        // Without a lock, some of them may find a place that others have left.
        wave(address).join_all().await;
        earlier.is_over();
    }
    let strain = earlier.last(&world, Kind::needs_store).await;
    let holder = world.backing.database.client().await;
    let lock = r#"BEGIN; LOCK TABLE "session" IN ACCESS EXCLUSIVE MODE"#;
    holder.batch_execute(lock).await.expect("nobody else locks");
    let begin = Instant::now();
    let clients = wave(address);
    sleep(LASTS).await;
    holder.batch_execute("ROLLBACK").await.expect("it is ours");
    let (mut served, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    let mut violations = Vec::new();
    for outcome in clients.join_all().await {
        match outcome {
            Ok((CheckStatus::Right, _)) => served += 1,
            Ok((CheckStatus::Unavailable, took)) => {
                refused += 1;
                slowest = slowest.max(took);
            }
            Ok((CheckStatus::Wrong, _)) => violations.push("a wrong answer".to_owned()),
            Err(error) => violations.push(format!("the server {error}")),
        }
    }
    violations.truncate(3);
    if slowest > AT_ONCE {
        violations.push(format!("a place in the line was refused after {slowest:?}"));
    }
    // The good requests beside them take places, too.
    if served > ROOM || served + 64 < ROOM - 16 || served + refused != MANY {
        let text = format!("{served} of {MANY} found a place, where there are {ROOM}");
        violations.push(text);
    }
    let (slowest, earlier) = (slowest.as_secs_f64(), earlier.text());
    let answers =
        format!("404: {served}, 503: {refused}, these after {slowest:.2} s at most; {earlier}");
    strain
        .conclude(answers, begin.elapsed(), PEAK, violations)
        .await
}

/// Everybody connects and asks.
fn wave(address: SocketAddr) -> JoinSet<Result<(CheckStatus, Duration), String>> {
    let mut clients = JoinSet::new();
    for number in 0..MANY {
        clients.spawn(async move {
            let claims = mail_claims(&format!("stranger{number}@example.com"));
            let request = post(&bearer(&sign_raw(HEADER, claims, SECRET)));
            let mut connection = Connection::open(address).await?;
            let begin = Instant::now();
            let reply = connection.ask(&request).await?;
            let verdict = Kind::NoUser.judge("", reply.status, reply.body);
            Ok((verdict, begin.elapsed()))
        });
    }
    clients
}
