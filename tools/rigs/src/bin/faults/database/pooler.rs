//! Two servers with different SQL share the connections of a PgBouncer in transaction mode.

use std::sync::Arc;
use std::time::Duration;

use cluster::{ClusterOptions, PoolMode, Pooler};
use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Backing, Expected, Fixture, Launch, Load, Record, Server, Trial, USUAL, Users};

const LASTS: Duration = Duration::from_secs(10);

/// Fewer than the servers need, so that each gets the connection that the other has just used.
const CONNECTIONS: u32 = 2;

/// The same emails belong to other users in other tables with other column names.
const OTHER_TABLES: &str = r#"
    CREATE TABLE "users" AS SELECT replace("id", 'usr_', 'oth_') AS "id", "name", "email",
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
        .set("BETTER_AUTH_USER_TABLE", "users")
        .set("BETTER_AUTH_SESSION_TABLE", "visits");
    let others = Arc::new(Users::new("oth", &backing.keys.origin(), &backing.signer));
    let fixture = Fixture {
        server: Server::start(&launch).await,
        backing,
    };
    let trial = Trial::begin(&fixture, USUAL, Expected::Nothing).await;
    trial.strikes();
    let other = Server::start(&other_launch).await;
    let record = Arc::new(Record::strict());
    let load = Load::start(other.address, &others, USUAL, &record);
    sleep(LASTS).await;
    load.stop().await;
    drop(other);
    trial.ends();
    let mut check = trial.conclude().await;
    let (answers, _) = record.answers();
    if answers < 500 {
        let text = format!("the other server answered {answers} requests, which proves nothing");
        check.violations.push(text);
    }
    let of_the_other = |text| format!("of the other server: {text}");
    let violations = record.violations().into_iter().map(of_the_other);
    check.violations.extend(violations);
    check
}
