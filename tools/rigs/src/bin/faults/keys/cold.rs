//! The keys are unavailable when the server starts.

use std::time::Duration;

use cluster::ClusterOptions;
use support::key_server::Reply;
use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Backing, Expected, Fixture, Kind, Trial, WITH_UNKNOWN_KEYS};

const LASTS: Duration = Duration::from_secs(5);

/// A failed fetch is repeated after one second.
const GRACE: Duration = Duration::from_secs(2);

/// A fetch times out after five seconds.
const GRACE_OF_A_FETCH: Duration = Duration::from_millis(6500);

/// The connection is rejected.
pub(crate) async fn down() -> Check {
    let backing = Backing::start(ClusterOptions::default()).await;
    backing.keys.stop_listening();
    let fixture = Fixture::on(backing).await;
    let trial = begin(&fixture, GRACE).await;
    sleep(LASTS).await;
    fixture.backing.keys.listen_again().await;
    trial.ends();
    trial.conclude().await
}

/// The response is sent slowly, byte by byte.
pub(crate) async fn slow() -> Check {
    let mut text = " ".repeat(200);
    text += "{}";
    answering(Reply::Drip(text), GRACE_OF_A_FETCH).await
}

/// The request is accepted, and no response is sent.
pub(crate) async fn silent() -> Check {
    answering(Reply::Silence, GRACE_OF_A_FETCH).await
}

/// The response is no HTTP.
pub(crate) async fn garbage() -> Check {
    answering(Reply::Garbage, GRACE).await
}

/// The response is a page instead of a key set.
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
    let fixture = Fixture::on(backing).await;
    let trial = begin(&fixture, grace).await;
    sleep(LASTS).await;
    let hits = fixture.backing.keys.hits();
    fixture.backing.keys.reply(fixture.backing.key_set());
    trial.ends();
    let mut check = trial.conclude().await;
    // Eight seconds with one second between attempts.
    if hits == 0 || hits > 9 {
        let text = format!("the keys were fetched {hits} times while it failed");
        check.violations.push(text);
    }
    check
}

async fn begin(fixture: &Fixture, grace: Duration) -> Trial<'_> {
    let expected = Expected::Fails(Kind::needs_keys);
    Trial::begin_amid(fixture, WITH_UNKNOWN_KEYS, expected, grace).await
}
