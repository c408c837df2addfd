//! The server's clock jumps two days forward and back.
//!
//! The machine's clock does not change: the layer runs in this process with a test clock, on the
//! same database and issuer.

use std::collections::BTreeMap;

use better_auth_layer::jwks::RemoteKeySource;
use better_auth_layer::postgres::PostgresStore;
use better_auth_layer::testing::TestClock;
use better_auth_layer::{BetterAuthLayer, Secret};
use cluster::ClusterOptions;
use support::app::App;
use support::test_clock::at;
use support::token::SECRET;

use crate::check::Check;
use crate::rig::{Backing, Kind, now};

/// Longer than the lifetime of any token.
const TWO_DAYS: i64 = 2 * 24 * 60 * 60;

const KINDS: [Kind; 7] = [
    Kind::Token,
    Kind::Session,
    Kind::Key,
    Kind::Bad,
    Kind::Behind,
    Kind::NoUser,
    Kind::NoSession,
];

pub(crate) async fn run() -> Check {
    let backing = Backing::start(ClusterOptions::default()).await;
    let start = now();
    let clock = TestClock::at(at(start));
    let app = App::of(
        BetterAuthLayer::builder()
            .secret(Secret::new(SECRET).expect("it is long enough"))
            .base_url(backing.keys.origin())
            .key_source(RemoteKeySource::new(&backing.keys.url()).expect("it is this machine"))
            .clock(clock.clone())
            .store(
                PostgresStore::connect(backing.database.url())
                    .await
                    .expect("an address"),
            ),
    );
    let mut seen = Seen::default();
    for wrong_by in [0, TWO_DAYS, 0, -TWO_DAYS, 0] {
        clock.set_wall(at(start + wrong_by));
        for kind in KINDS {
            seen.ask(&app, &backing, kind, due(kind, wrong_by)).await;
        }
    }
    let hits = backing.keys.hits();
    if hits != 1 {
        seen.violations.push(format!(
            "the keys were fetched {hits} times: their age is not counted by the clock that jumps"
        ));
    }
    let counts = |chosen: fn(Kind) -> bool| seen.counts(chosen);
    Check {
        cells: vec![
            counts(Kind::is_good),
            counts(Kind::is_bad),
            counts(|kind| !kind.is_good() && !kind.is_bad()),
            "–".to_owned(),
            "0".to_owned(),
            format!("keys fetched: {hits}"),
        ],
        violations: seen.violations,
    }
}

/// The expected status with a wrong clock.
fn due(kind: Kind, wrong_by: i64) -> u16 {
    match kind {
        Kind::Session => 200,
        // Every token has expired by then.
        _ if wrong_by > 0 => 401,
        // Even this token has not expired before then.
        Kind::Behind if wrong_by < 0 => 200,
        Kind::Bad | Kind::Behind => 401,
        Kind::NoUser | Kind::NoSession => 404,
        _ => 200,
    }
}

#[derive(Default)]
struct Seen {
    counts: BTreeMap<(Kind, u16), u64>,
    violations: Vec<String>,
}

impl Seen {
    async fn ask(&mut self, app: &App, backing: &Backing, kind: Kind, due: u16) {
        for asked in backing.users.requests(kind) {
            let answer = app.send(&asked.token).await;
            let status = answer.status.as_u16();
            *self.counts.entry((kind, status)).or_default() += 1;
            let is_own = asked
                .echo
                .split_once(' ')
                .is_none_or(|(id, _)| answer.body == format!("{id} ses_{id}"));
            if status != due || (status == 200 && !is_own) {
                self.violations
                    .push(format!("{kind:?} was answered {status}: {}", answer.body));
                self.violations.truncate(5);
            }
        }
    }

    fn counts(&self, chosen: fn(Kind) -> bool) -> String {
        let mut counts = BTreeMap::<u16, u64>::new();
        for ((kind, status), count) in &self.counts {
            if chosen(*kind) {
                *counts.entry(*status).or_default() += count;
            }
        }
        let counts = counts
            .iter()
            .map(|(status, count)| format!("{status}: {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }
}
