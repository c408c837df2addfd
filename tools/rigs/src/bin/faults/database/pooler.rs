//! Two servers of different SQL share the connections of a PgBouncer in transaction mode.

use std::sync::Arc;
use std::time::Duration;

use cluster::{ClusterOptions, PoolMode, Pooler};
use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Backing, Expected, Launch, Load, People, Record, Server, Trial, USUAL, World};

const LASTS: Duration = Duration::from_secs(10);

/// Fewer than the two of them would like to have, so that each gets what the other has just left.
const CONNECTIONS: u32 = 2;

/// The same addresses belong to other users in tables of other names, with columns of another spelling.
const OTHER_TABLES: &str = r#"
    CREATE TABLE "people" AS SELECT replace("id", 'usr_', 'oth_') AS "id", "name", "email",
        "emailVerified" AS "email_verified", "banned" FROM "user";
    CREATE TABLE "visits" AS SELECT "id", "expiresAt" AS "expires_at", replace("token", 'usrx', 'othx') AS "token",
        replace("userId", 'usr_', 'oth_') AS "user_id" FROM "session""#;

pub(crate) async fn run() -> Check {
    let backing = Backing::start(ClusterOptions::default()).await;
    backing.execute(OTHER_TABLES).await;
    let pooler = Pooler::start(&backing.cluster, PoolMode::Transaction, CONNECTIONS).await;
    let url = pooler.url(&backing.database);
    let launch = Launch::on(&backing, &url).set("BETTER_AUTH_SCHEMA", "camel");
    let other_launch = launch
        .clone()
        .set("BETTER_AUTH_SCHEMA", "snake")
        .set("BETTER_AUTH_USER_TABLE", "people")
        .set("BETTER_AUTH_SESSION_TABLE", "visits");
    let others = Arc::new(People::new("oth", &backing.keys.origin(), &backing.signer));
    let world = World {
        server: Server::start(&launch).await,
        backing,
    };
    let trial = Trial::begin(&world, USUAL, Expected::Nothing).await;
    trial.strikes();
    let other = Server::start(&other_launch).await;
    let record = Arc::new(Record::strict());
    let load = Load::start(other.address, &others, USUAL, &record);
    sleep(LASTS).await;
    load.stop().await;
    drop(other);
    trial.ends();
    let mut finding = trial.conclude().await;
    let (answers, _) = record.answers();
    if answers < 500 {
        let text = format!("the other server answered {answers} requests, which proves nothing");
        finding.violations.push(text);
    }
    let of_the_other = |text| format!("of the other server: {text}");
    let violations = record.violations().into_iter().map(of_the_other);
    finding.violations.extend(violations);
    finding
}
