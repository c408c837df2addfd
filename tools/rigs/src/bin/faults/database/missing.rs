//! Tables and columns that are renamed under the server, as a migration does that goes wrong.

use std::time::Duration;

use tokio::time::sleep;

use crate::finding::Check;
use crate::rig::{Expected, Kind, Trial, USUAL, World};

const LASTS: Duration = Duration::from_secs(5);

/// The table of users.
pub(crate) async fn table() -> Check {
    renamed(
        r#"ALTER TABLE "user" RENAME TO "away""#,
        r#"ALTER TABLE "away" RENAME TO "user""#,
        Expected::Fails(Kind::needs_store),
    )
    .await
}

/// A column without which no session can be judged.
pub(crate) async fn column() -> Check {
    renamed(
        r#"ALTER TABLE "session" RENAME COLUMN "expiresAt" TO "away""#,
        r#"ALTER TABLE "session" RENAME COLUMN "away" TO "expiresAt""#,
        Expected::Fails(Kind::needs_store),
    )
    .await
}

/// A column that a deployment need not have.
pub(crate) async fn optional_column() -> Check {
    renamed(
        r#"ALTER TABLE "user" RENAME COLUMN "role" TO "away""#,
        r#"ALTER TABLE "user" RENAME COLUMN "away" TO "role""#,
        Expected::Nothing,
    )
    .await
}

async fn renamed(away: &str, back: &str, expected: Expected) -> Check {
    let world = World::usual().await;
    let trial = Trial::begin(&world, USUAL, expected).await;
    trial.strikes();
    world.backing.execute(away).await;
    sleep(LASTS).await;
    world.backing.execute(back).await;
    trial.ends();
    trial.conclude().await
}
