//! Checks of a deployment before the first request.

use std::sync::Arc;
use std::time::Duration;

use crate::api_key::ApiKeyHash;
use crate::clock::{Clock, Timestamp};
use crate::diagnostics::{Check, CheckStatus, HealthReport};
use crate::identity::SessionToken;
use crate::jwks::{FetchReport, KeyCache};
use crate::store::{DynUserStore, Lookup, LookupKind, Resolution, within};

/// The tolerated difference between two clocks: HTTP dates have whole seconds, and a response takes
/// some time.
const TOLERATED_SKEW: Duration = Duration::from_secs(2);

/// A larger difference makes the layer reject valid tokens or accept expired ones.
const MAX_SKEW: Duration = Duration::from_secs(30);

/// An id, session token and API key that do not exist.
const UNKNOWN_KEY: &str = "better-auth-layer-diagnostics-unknown";

/// The checks of the layer itself, run together with those of the store.
pub(crate) struct Diagnostics {
    /// Checks of the configuration.
    pub(crate) config: Vec<Check>,
    /// The lookups that the accepted credentials need.
    pub(crate) lookups: Vec<LookupKind>,
    pub(crate) keys: Option<Arc<KeyCache>>,
}

impl Diagnostics {
    pub(super) async fn run(
        &self,
        store: &Arc<dyn DynUserStore>,
        clock: &dyn Clock,
        timeout: Duration,
    ) -> HealthReport {
        let mut report = HealthReport::new();
        report.extend(self.config.iter().cloned());
        report.extend(self.check_store(store, clock, timeout).await);
        report.extend(self.check_keys().await);
        report
    }

    async fn check_store(
        &self,
        store: &Arc<dyn DynUserStore>,
        clock: &dyn Clock,
        timeout: Duration,
    ) -> Vec<Check> {
        let diagnosed = Arc::clone(store);
        let mut checks = match within(timeout, || diagnosed.diagnose()).await {
            Ok(checks) => checks,
            Err(error) => vec![error.finding("store")],
        };
        // Further checks would only repeat the failure.
        if checks
            .iter()
            .any(|check| check.status() == CheckStatus::Failed)
        {
            return checks;
        }
        checks.push(self.check_lookups(store, clock, timeout).await);
        let before = clock.now();
        let timed = Arc::clone(store);
        match within(timeout, || timed.server_time()).await {
            Ok(None) => {}
            Ok(Some(time)) => {
                checks.push(compare("store", (before, clock.now()), (time, time)));
            }
            Err(error) => checks.push(error.finding("clock")),
        }
        checks
    }

    /// Runs every kind of lookup with a key that does not exist.
    async fn check_lookups(
        &self,
        store: &Arc<dyn DynUserStore>,
        clock: &dyn Clock,
        timeout: Duration,
    ) -> Check {
        if self.lookups.is_empty() {
            return Check::failed(
                "lookups",
                "no credential is accepted, so every request is rejected",
            )
            .with_remedy("configure a secret, public keys, or another kind of credential");
        }
        let (token, hash) = (
            SessionToken::new(UNKNOWN_KEY),
            ApiKeyHash::from_key(UNKNOWN_KEY),
        );
        let mut supported = Vec::new();
        for kind in &self.lookups {
            let now = clock.now();
            let lookup = match kind {
                LookupKind::Email => Lookup::by_email("unknown@example.invalid", now),
                LookupKind::UserId => Lookup::by_user_id(UNKNOWN_KEY, now),
                LookupKind::SessionToken => Lookup::by_session_token(&token, now),
                LookupKind::ApiKey => Lookup::by_api_key(&hash, now),
            };
            let lookup = lookup.into_owned();
            let store = Arc::clone(store);
            match within(timeout, || store.resolve(lookup)).await {
                Ok(Resolution::Found { .. } | Resolution::FoundApiKey { .. }) => {
                    let problem = format!(
                        "{kind}: the store returned a user for a lookup key that does not exist"
                    );
                    return Check::failed("lookups", problem)
                        .with_remedy("fix the `UserStore` implementation");
                }
                Ok(_) => supported.push(kind.to_string()),
                Err(error) => return error.finding(format!("lookups {kind}")),
            }
        }
        Check::ok("lookups", format!("{} succeed", supported.join(", ")))
    }

    async fn check_keys(&self) -> Vec<Check> {
        let Some(keys) = &self.keys else {
            return Vec::new();
        };
        match keys.diagnose().await {
            Err(error) => {
                let remedy = "check that the issuer serves its keys at the URL from BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL, and that this machine can reach it";
                vec![Check::failed("public keys", format!("{error:#}")).with_remedy(remedy)]
            }
            Ok(None) => vec![match keys.usable_keys() {
                0 => Check::failed("public keys", "none of the configured keys can be used")
                    .with_remedy("configure the keys of Better Auth's `jwks` endpoint"),
                usable => Check::ok("public keys", format!("{usable} can be used")),
            }],
            Ok(Some(fetch)) => {
                let mut checks = vec![describe(&fetch)];
                if let Some(date) = fetch.server_time {
                    let ours = (fetch.started_at, fetch.finished_at);
                    // `Date` is truncated to whole seconds.
                    let theirs = (date, date.saturating_add(Duration::from_secs(1)));
                    checks.push(compare("issuer", ours, theirs));
                }
                checks
            }
        }
    }
}

fn describe(fetch: &FetchReport) -> Check {
    let FetchReport { keys, usable, .. } = fetch;
    if keys == usable {
        return Check::ok("public keys", format!("{usable} can be used"));
    }
    Check::warning("public keys", format!("{usable} of {keys} can be used")).with_remedy(
        "see the log for the problems of the other keys; tokens that they sign are rejected",
    )
}

/// Compares this machine's clock, read before and after, with a remote time between two bounds.
fn compare(
    remote: &'static str,
    (before, after): (Timestamp, Timestamp),
    (earliest, latest): (Timestamp, Timestamp),
) -> Check {
    let (skew, direction) = if earliest > after {
        (earliest.abs_diff(after), "behind")
    } else if latest < before {
        (before.abs_diff(latest), "ahead of")
    } else {
        (Duration::ZERO, "")
    };
    if skew <= TOLERATED_SKEW {
        return Check::ok("clock", format!("agrees with the {remote}'s"));
    }
    let problem = format!("is {} s {direction} the {remote}'s", skew.as_secs());
    let check = if skew > MAX_SKEW {
        Check::failed("clock", problem)
    } else {
        Check::warning("clock", problem)
    };
    check.with_remedy(
        "synchronize both clocks with NTP; they decide when tokens and sessions expire",
    )
}
