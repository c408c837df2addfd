//! More concurrent lookups than the queue holds, while a lock blocks the database.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::token::{HEADER, SECRET, sign_raw};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::check::Check;
use crate::options::Scale;
use crate::rig::{Connection, EarlierWaves, Fixture, Kind, Verdict, bearer, mail_claims, post};

const MANY: usize = 3_000;
const EARLIER: usize = 3;

/// Lookups in flight and in the queue.
const ROOM: usize = 2 * 8 + 1024;

/// Less than the query timeout, so that queued lookups complete.
const LASTS: Duration = Duration::from_secs(3);

/// Rejected lookups return before that, even on a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The limit of memory growth in MiB.
const PEAK: u64 = 96;

pub(crate) async fn run(_: Scale) -> Check {
    let fixture = Fixture::usual().await;
    let address = fixture.server.address;
    let mut earlier = EarlierWaves::begin(&fixture);
    for _ in 0..EARLIER {
        // Without a lock, some requests may find a free slot.
        wave(address).join_all().await;
        earlier.is_over();
    }
    let overload = earlier.last(&fixture, Kind::needs_store).await;
    let holder = fixture.backing.database.client().await;
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
            Ok((Verdict::Right, _)) => served += 1,
            Ok((Verdict::Unavailable, took)) => {
                refused += 1;
                slowest = slowest.max(took);
            }
            Ok((Verdict::Wrong, _)) => violations.push("a wrong answer".to_owned()),
            Err(error) => violations.push(format!("the server {error}")),
        }
    }
    violations.truncate(3);
    if slowest > AT_ONCE {
        violations.push(format!("a full queue was reported after {slowest:?}"));
    }
    // The valid requests of the load use slots as well.
    if served > ROOM || served + 64 < ROOM - 16 || served + refused != MANY {
        let text = format!("{served} of {MANY} were served with {ROOM} slots");
        violations.push(text);
    }
    let (slowest, earlier) = (slowest.as_secs_f64(), earlier.text());
    let answers =
        format!("404: {served}, 503: {refused}, these after {slowest:.2} s at most; {earlier}");
    overload
        .conclude(answers, begin.elapsed(), PEAK, violations)
        .await
}

/// All clients connect and send a request.
fn wave(address: SocketAddr) -> JoinSet<Result<(Verdict, Duration), String>> {
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
