//! The keys cannot be had when the server starts.

use std::time::Duration;

use cluster::ClusterOptions;
use support::key_server::Reply;
use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Backing, Expected, Kind, Trial, WITH_UNKNOWN_KEYS, World};

const LASTS: Duration = Duration::from_secs(5);

/// A second after a fetch that failed, another one is begun.
const GRACE: Duration = Duration::from_secs(2);

/// A fetch that hangs is given up after five seconds.
const GRACE_OF_A_FETCH: Duration = Duration::from_millis(6500);

/// Nobody listens.
pub(crate) async fn down() -> Check {
    let backing = Backing::start(ClusterOptions::default()).await;
    backing.keys.stop_listening();
    let world = World::on(backing).await;
    let trial = begin(&world, GRACE).await;
    sleep(LASTS).await;
    world.backing.keys.listen_again().await;
    trial.ends();
    trial.conclude().await
}

/// A byte of the answer now and then.
pub(crate) async fn slow() -> Check {
    let mut text = " ".repeat(200);
    text += "{}";
    answering(Reply::Drip(text), GRACE_OF_A_FETCH).await
}

/// The request is taken and never answered.
pub(crate) async fn silent() -> Check {
    answering(Reply::Silence, GRACE_OF_A_FETCH).await
}

/// What is answered is no HTTP.
pub(crate) async fn garbage() -> Check {
    answering(Reply::Garbage, GRACE).await
}

/// A page where a set of keys should be.
pub(crate) async fn no_keys() -> Check {
    answering(Reply::Body("<html>Welcome</html>".to_owned()), GRACE).await
}

/// A set without keys.
pub(crate) async fn empty() -> Check {
    answering(Reply::Body(r#"{"keys":[]}"#.to_owned()), GRACE).await
}

async fn answering(reply: Reply, grace: Duration) -> Check {
    let backing = Backing::start(ClusterOptions::default()).await;
    backing.keys.reply(reply);
    let world = World::on(backing).await;
    let trial = begin(&world, grace).await;
    sleep(LASTS).await;
    let hits = world.backing.keys.hits();
    world.backing.keys.reply(world.backing.key_set());
    trial.ends();
    let mut finding = trial.conclude().await;
    // Eight seconds, and a second between two attempts.
    if hits == 0 || hits > 9 {
        let text = format!("the issuer was asked {hits} times while it failed");
        finding.violations.push(text);
    }
    finding
}

async fn begin(world: &World, grace: Duration) -> Trial<'_> {
    let expected = Expected::Fails(Kind::needs_keys);
    Trial::begin_amid(world, WITH_UNKNOWN_KEYS, expected, grace).await
}
