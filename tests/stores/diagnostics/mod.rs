//! The health report of a deployment.

use support::prelude::*;
mod environment;
mod issuer;
mod postgres;
mod store;

async fn check(builder: BetterAuthLayerBuilder) -> HealthReport {
    builder.build().unwrap().authenticator().diagnose().await
}

/// The checks of a subject.
fn about<'a>(diagnosis: &'a HealthReport, what: &str) -> Vec<&'a Check> {
    let findings = diagnosis.checks().iter();
    findings.filter(|finding| finding.subject() == what).collect()
}

/// Asserts that a subject has one check with this status and text, and a remedy if it is not OK.
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

/// Asserts that all checks are OK.
fn assert_right(diagnosis: &HealthReport) {
    let all = diagnosis.checks().iter();
    assert!(
        all.clone().count() > 2 && all.clone().all(|finding| finding.status() == CheckStatus::Ok),
        "\n{diagnosis}"
    );
    assert!(diagnosis.is_healthy());
}
