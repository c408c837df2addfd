//! Which session a token is for.

use std::sync::Arc;
use std::time::Duration;

use better_auth_layer::{Lookup, RejectionKind, Resolution, SessionToken, Timestamp, UserStore};
use serde_json::json;

use crate::gate::{Gate, builder};
use crate::test_clock::{NOW, TestClock};
use crate::token::{claims_with, sign, token_for};

/// The third row of the contract, and how a session's last second passes.
pub async fn users_without_an_active_session_are_refused<S: UserStore>(store: S) {
    let clock = TestClock::new();
    let gate = Gate::of(builder(store).clock(clock.clone()));
    for email in ["no-session@example.com", "only-expired@example.com"] {
        gate.send(&token_for(email))
            .await
            .assert_refused(email, RejectionKind::NoActiveSession);
    }
    let edge = token_for("edge@example.com");
    clock.advance(Duration::from_millis(999));
    gate.send(&edge)
        .await
        .assert_identity("a millisecond before", "usr_edge", "ses_edge");
    clock.advance(Duration::from_millis(1));
    gate.send(&edge)
        .await
        .assert_refused("ended just now", RejectionKind::NoActiveSession);
}

/// The user's own before an administrator's, the one that lasts longest, the first id.
pub async fn the_preferred_of_several_sessions_is_taken<S: UserStore>(store: S) {
    let clock = TestClock::new();
    let gate = Gate::of(builder(store).clock(clock.clone()));
    let several = token_for("several@example.com");
    gate.send(&several).await.assert_identity(
        "own, longest, first",
        "usr_several",
        "ses_several_long_a",
    );
    clock.advance(Duration::from_secs(200));
    gate.send(&several).await.assert_identity(
        "only an administrator's is left",
        "usr_several",
        "ses_several_admin",
    );
    let answer = gate.send(&token_for("impersonated@example.com")).await;
    answer.assert_identity("only an administrator's", "usr_impersonated", "ses_admin");
}

/// `sid`, or the claim that was configured.
pub async fn a_token_that_names_a_session_gets_that_one_or_none<S: UserStore>(store: S) {
    let store = Arc::new(store);
    let gate = Gate::new(Arc::clone(&store));
    let token = |claim: &str, id: serde_json::Value| {
        sign(&claims_with("several@example.com", json!({ claim: id })))
    };
    for id in [
        "ses_several_short",
        "ses_several_long_b",
        "ses_several_admin",
    ] {
        gate.send(&token("sid", json!(id)))
            .await
            .assert_identity(id, "usr_several", id);
    }
    for id in [
        "ses_several_ended",
        "ses_ada",
        "ses_nowhere",
        "SES_SEVERAL_SHORT",
        "' OR true --",
        "%",
    ] {
        let answer = gate.send(&token("sid", json!(id))).await;
        answer.assert_refused(id, RejectionKind::NoActiveSession);
    }
    for id in [
        json!(""),
        json!(1),
        json!(["ses_several_short"]),
        json!({}),
        json!("ses\0"),
    ] {
        let answer = gate.send(&token("sid", id.clone())).await;
        answer.assert_refused(&id.to_string(), RejectionKind::InvalidCredential);
    }
    let nobody = sign(&claims_with(
        "nobody@example.com",
        json!({ "sid": "ses_ada" }),
    ));
    gate.send(&nobody)
        .await
        .assert_refused("nobody", RejectionKind::UserNotFound);

    let own_claim = Gate::of(builder(store).session_id_claim("session_id"));
    let answer = own_claim
        .send(&token("session_id", json!("ses_several_short")))
        .await;
    answer.assert_identity("own claim", "usr_several", "ses_several_short");
    let answer = own_claim.send(&token("sid", json!("ses_nowhere"))).await;
    answer.assert_identity(
        "`sid` means nothing then",
        "usr_several",
        "ses_several_long_a",
    );
}

/// The lookups that other credentials will need, asked directly.
pub async fn every_kind_of_lookup_is_answered<S: UserStore>(store: S) {
    let now = Timestamp::from_unix_seconds(NOW);
    let ask = async |lookup: Lookup<'_>| match store.resolve(lookup).await.unwrap() {
        Resolution::Found { user, session, .. } => format!("{} {}", user.id(), session.id()),
        Resolution::UserNotFound => "no user".to_owned(),
        Resolution::NoActiveSession => "no session".to_owned(),
        other => panic!("{other:?}"),
    };
    let by_id = |id: &'static str| Lookup::by_user_id(id, now);
    assert_eq!(ask(by_id("usr_ada")).await, "usr_ada ses_ada");
    assert_eq!(
        ask(by_id("usr_several")).await,
        "usr_several ses_several_long_a"
    );
    assert_eq!(
        ask(by_id("usr_several").with_session_id("ses_several_short")).await,
        "usr_several ses_several_short"
    );
    assert_eq!(
        ask(by_id("usr_several").with_session_id("ses_ada")).await,
        "no session"
    );
    assert_eq!(ask(by_id("usr_expired")).await, "no session");
    for nobody in ["", "usr_nobody", "USR_ADA", "ada@example.com"] {
        assert_eq!(ask(by_id(nobody)).await, "no user", "{nobody}");
    }

    let token = |token: &str| SessionToken::new(token);
    let (ada, several) = (token("ses_ada"), token("ses_several_short"));
    assert_eq!(
        ask(Lookup::by_session_token(&ada, now)).await,
        "usr_ada ses_ada"
    );
    assert_eq!(
        ask(Lookup::by_session_token(&several, now)).await,
        "usr_several ses_several_short"
    );
    let narrowed = Lookup::by_session_token(&ada, now).with_session_id("ses_several_short");
    assert_eq!(ask(narrowed).await, "no session");
    for gone in [
        "",
        "ses_nowhere",
        "SES_ADA",
        "ses_expired_1",
        "ses_expired_2",
    ] {
        let gone = token(gone);
        assert_eq!(
            ask(Lookup::by_session_token(&gone, now)).await,
            "no session",
            "{}",
            gone.expose()
        );
    }
    store.ready().await.unwrap();
}
