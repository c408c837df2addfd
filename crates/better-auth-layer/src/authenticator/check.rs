//! Everything that can be known about a deployment before the first request.

use std::sync::Arc;
use std::time::Duration;

use super::Authenticator;
use crate::api_key::ApiKeyHash;
use crate::clock::Timestamp;
use crate::diagnostics::{Check, CheckStatus, HealthReport};
use crate::identity::SessionToken;
use crate::jwks::{Fetched, KeyCache};
use crate::store::{Lookup, LookupKind, Resolution, within};

/// By so much two clocks may differ: an HTTP date has whole seconds, and an answer is on its way for a while.
const TOLERABLE: Duration = Duration::from_secs(2);

/// Beyond this, tokens are refused that are good, or accepted that are not.
const INTOLERABLE: Duration = Duration::from_secs(30);

/// What is looked up to see that lookups are answered: the id, the token and the key of nobody.
const NOBODY: &str = "better-auth-layer-check-of-nobody";

/// What is looked at beside the store.
pub(crate) struct Probe {
    /// What there is to say about the settings.
    pub(crate) advice: Vec<Check>,
    /// What the accepted credentials are looked up by.
    pub(crate) lookups: Vec<LookupKind>,
    pub(crate) keys: Option<Arc<KeyCache>>,
}

impl Authenticator {
    /// Looks at the deployment before anybody is let in: the secret and the issuer that are set, the store with its
    /// tables and its connection, each kind of lookup that the accepted credentials need, the public keys, and this
    /// machine's clock against the store's and the issuer's. Each finding that is not right comes with its remedy.
    ///
    /// The store is asked for users that nobody is, and the keys are fetched anew; so this is for start-up and for
    /// whoever operates the service. It is neither for a route that strangers reach nor for a readiness probe: that is
    /// [`ready`](Self::ready).
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// async fn refuse_to_start(auth: &BetterAuthLayer) -> Result<(), String> {
    ///     let diagnosis = auth.authenticator().diagnose().await;
    ///     if diagnosis.is_healthy() { Ok(()) } else { Err(diagnosis.to_string()) }
    /// }
    /// ```
    ///
    /// Clocks that differ by more than two seconds are a warning, by more than thirty a failure. The issuer's is known
    /// from the header `Date` of its answer, where the keys come from an address.
    pub async fn diagnose(&self) -> HealthReport {
        let mut diagnosis = HealthReport::new();
        diagnosis.extend(self.inner.probe.advice.iter().cloned());
        diagnosis.extend(self.check_users().await);
        diagnosis.extend(self.check_keys().await);
        diagnosis
    }

    async fn check_users(&self) -> Vec<Check> {
        let (store, limit) = (&self.inner.store, self.inner.lookup_timeout);
        let examined = Arc::clone(store);
        let mut findings = match within(limit, || examined.diagnose()).await {
            Ok(findings) => findings,
            Err(error) => vec![error.finding("store")],
        };
        // What cannot be asked has been said once.
        if findings
            .iter()
            .any(|finding| finding.status() == CheckStatus::Failed)
        {
            return findings;
        }
        findings.push(self.check_lookups().await);
        let asked_at = self.inner.clock.now();
        let timed = Arc::clone(store);
        match within(limit, || timed.server_time()).await {
            Ok(None) => {}
            Ok(Some(theirs)) => {
                let ours = (asked_at, self.inner.clock.now());
                findings.push(compare("store", ours, (theirs, theirs)));
            }
            Err(error) => findings.push(error.finding("clock")),
        }
        findings
    }

    /// Asks for nobody, in every way that requests will ask.
    async fn check_lookups(&self) -> Check {
        let (token, hash) = (SessionToken::new(NOBODY), ApiKeyHash::from_key(NOBODY));
        if self.inner.probe.lookups.is_empty() {
            return Check::failed(
                "lookups",
                "no credential is accepted, and every request refused",
            )
            .with_remedy("give the layer a secret, keys, or a kind of credential to accept");
        }
        let mut asked = Vec::new();
        for kind in &self.inner.probe.lookups {
            let now = self.inner.clock.now();
            let lookup = match kind {
                LookupKind::Email => Lookup::by_email("nobody@example.invalid", now),
                LookupKind::UserId => Lookup::by_user_id(NOBODY, now),
                LookupKind::SessionToken => Lookup::by_session_token(&token, now),
                LookupKind::ApiKey => Lookup::by_api_key(&hash, now),
            };
            let lookup = lookup.into_owned();
            let store = Arc::clone(&self.inner.store);
            let answer = within(self.inner.lookup_timeout, || store.resolve(lookup)).await;
            match answer {
                Ok(Resolution::Found { .. } | Resolution::FoundApiKey { .. }) => {
                    let says = format!("{kind}: somebody is found where nobody was asked for");
                    return Check::failed("lookups", says).with_remedy("mend the store's code");
                }
                Ok(_) => asked.push(kind.to_string()),
                Err(error) => return error.finding(format!("lookups {kind}")),
            }
        }
        Check::ok("lookups", format!("{} are answered", asked.join(", ")))
    }

    async fn check_keys(&self) -> Vec<Check> {
        let Some(keys) = &self.inner.probe.keys else {
            return Vec::new();
        };
        match keys.check().await {
            Err(error) => {
                let remedy = "see that the issuer serves its keys at the address that BETTER_AUTH_URL or BETTER_AUTH_JWKS_URL leads to, and that it can be reached from here";
                vec![Check::failed("public keys", format!("{error:#}")).with_remedy(remedy)]
            }
            Ok(None) => vec![match keys.usable_keys() {
                0 => Check::failed("public keys", "none of those that were given can be used")
                    .with_remedy("give the layer the keys of Better Auth's `jwks` endpoint"),
                usable => Check::ok("public keys", format!("{usable} can be used")),
            }],
            Ok(Some(fetched)) => {
                let mut findings = vec![describe(&fetched)];
                if let Some(date) = fetched.said_at {
                    let ours = (fetched.asked_at, fetched.answered_at);
                    let theirs = (date, date.saturating_add(Duration::from_secs(1)));
                    findings.push(compare("issuer", ours, theirs));
                }
                findings
            }
        }
    }
}

fn describe(fetched: &Fetched) -> Check {
    let Fetched { keys, usable, .. } = fetched;
    if keys == usable {
        return Check::ok("public keys", format!("{usable} can be used"));
    }
    let says = format!("{usable} of {keys} can be used");
    Check::warning("public keys", says).with_remedy(
        "see the log for what is wrong with the others; tokens that they sign are refused",
    )
}

/// This machine's clock before and after somebody else's was read, whose time then was between two.
fn compare(
    whose: &'static str,
    (before, after): (Timestamp, Timestamp),
    (earliest, latest): (Timestamp, Timestamp),
) -> Check {
    let (difference, word) = if earliest > after {
        (earliest.abs_diff(after), "behind")
    } else if latest < before {
        (before.abs_diff(latest), "ahead of")
    } else {
        (Duration::ZERO, "")
    };
    if difference <= TOLERABLE {
        return Check::ok("clock", format!("agrees with the {whose}'s"));
    }
    let says = format!("is {} s {word} the {whose}'s", difference.as_secs());
    let finding = if difference > INTOLERABLE {
        Check::failed("clock", says)
    } else {
        Check::warning("clock", says)
    };
    finding.with_remedy("let NTP set the clocks of both machines: by them tokens and sessions end")
}
