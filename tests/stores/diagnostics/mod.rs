//! What a check says about a deployment before anybody is let in.

mod environment;
mod issuer;
mod postgres;
mod store;

use better_auth_layer::{BetterAuthLayerBuilder, Diagnosis, Finding, Verdict};

async fn check(builder: BetterAuthLayerBuilder) -> Diagnosis {
    builder.build().unwrap().authenticator().check().await
}

/// The findings about something.
fn about<'a>(diagnosis: &'a Diagnosis, what: &str) -> Vec<&'a Finding> {
    let findings = diagnosis.findings().iter();
    findings.filter(|finding| finding.what() == what).collect()
}

/// The only finding about something is of this kind, has this in its line, and comes with a remedy unless it is good.
fn assert_finding(diagnosis: &Diagnosis, what: &str, verdict: Verdict, part: &str) {
    let found = about(diagnosis, what);
    let [finding] = found.as_slice() else {
        panic!("one finding about {what} in\n{diagnosis}");
    };
    assert_eq!(finding.verdict(), verdict, "{what} in\n{diagnosis}");
    let line = finding.to_string();
    assert!(line.contains(part), "{part} is not in: {line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(
        verdict == Verdict::Ok || line.contains(';'),
        "no remedy in: {line}"
    );
    assert!(
        verdict != Verdict::Failed || !diagnosis.is_healthy(),
        "{diagnosis}"
    );
}

/// Nothing is wrong.
fn assert_right(diagnosis: &Diagnosis) {
    let all = diagnosis.findings().iter();
    assert!(
        all.clone().count() > 2 && all.clone().all(|finding| finding.verdict() == Verdict::Ok),
        "\n{diagnosis}"
    );
    assert!(diagnosis.is_healthy());
}
