//! What a check says about a deployment before anybody is let in.

use support::prelude::*;
mod environment;
mod issuer;
mod postgres;
mod store;

async fn check(builder: BetterAuthLayerBuilder) -> HealthReport {
    builder.build().unwrap().authenticator().diagnose().await
}

/// The findings about something.
fn about<'a>(diagnosis: &'a HealthReport, what: &str) -> Vec<&'a Check> {
    let findings = diagnosis.checks().iter();
    findings.filter(|finding| finding.subject() == what).collect()
}

/// The only finding about something is of this kind, has this in its line, and comes with a remedy unless it is good.
fn assert_finding(diagnosis: &HealthReport, what: &str, verdict: CheckStatus, part: &str) {
    let found = about(diagnosis, what);
    let [finding] = found.as_slice() else {
        panic!("one finding about {what} in\n{diagnosis}");
    };
    assert_eq!(finding.status(), verdict, "{what} in\n{diagnosis}");
    let line = finding.to_string();
    assert!(line.contains(part), "{part} is not in: {line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(verdict == CheckStatus::Ok || line.contains(';'), "no remedy in: {line}");
    assert!(verdict != CheckStatus::Failed || !diagnosis.is_healthy(), "{diagnosis}");
}

/// Nothing is wrong.
fn assert_right(diagnosis: &HealthReport) {
    let all = diagnosis.checks().iter();
    assert!(
        all.clone().count() > 2 && all.clone().all(|finding| finding.status() == CheckStatus::Ok),
        "\n{diagnosis}"
    );
    assert!(diagnosis.is_healthy());
}
