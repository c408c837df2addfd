//! Tables and columns are renamed, as in a failed migration.

use std::time::Duration;

use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Expected, Fixture, Kind, Trial, USUAL};

const LASTS: Duration = Duration::from_secs(5);

/// The user table.
pub(crate) async fn table() -> Check {
    renamed(
        r#"ALTER TABLE "user" RENAME TO "away""#,
        r#"ALTER TABLE "away" RENAME TO "user""#,
        Expected::Fails(Kind::needs_store),
    )
    .await
}

/// A required column.
pub(crate) async fn column() -> Check {
    renamed(
        r#"ALTER TABLE "session" RENAME COLUMN "expiresAt" TO "away""#,
        r#"ALTER TABLE "session" RENAME COLUMN "away" TO "expiresAt""#,
        Expected::Fails(Kind::needs_store),
    )
    .await
}

/// An optional column.
pub(crate) async fn optional_column() -> Check {
    renamed(
        r#"ALTER TABLE "user" RENAME COLUMN "role" TO "away""#,
        r#"ALTER TABLE "user" RENAME COLUMN "away" TO "role""#,
        Expected::Nothing,
    )
    .await
}

async fn renamed(away: &str, back: &str, expected: Expected) -> Check {
    let fixture = Fixture::usual().await;
    let trial = Trial::begin(&fixture, USUAL, expected).await;
    trial.strikes();
    fixture.backing.execute(away).await;
    sleep(LASTS).await;
    fixture.backing.execute(back).await;
    trial.ends();
    trial.conclude().await
}
