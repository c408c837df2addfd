//! The session of a token.

use crate::prelude::*;
/// With the exact end of a session.
pub async fn active_session_is_required<S: UserStore>(store: S) {
    let clock = clock();
    let app = App::of(builder(store).clock(clock.clone()));
    for email in ["no-session@example.com", "only-expired@example.com"] {
        app.rejects(&token_for(email), email, NoActiveSession).await;
    }
    let edge = token_for("edge@example.com");
    clock.advance(Duration::from_millis(999));
    app.accepts(&edge, "a millisecond before", "usr_edge", "ses_edge").await;
    clock.advance(Duration::from_millis(1));
    app.rejects(&edge, "ended just now", NoActiveSession).await;
}

/// Order: not impersonated, latest end, lowest id.
pub async fn preferred_session_is_chosen<S: UserStore>(store: S) {
    let clock = clock();
    let app = App::of(builder(store).clock(clock.clone()));
    let several = token_for("several@example.com");
    app.accepts(&several, "own, longest, first", "usr_several", "ses_several_long_a").await;
    clock.advance(Duration::from_secs(200));
    app.accepts(&several, "only an administrator's is left", "usr_several", "ses_several_admin")
        .await;
    app.accepts(
        &token_for("impersonated@example.com"),
        "only an administrator's",
        "usr_impersonated",
        "ses_admin",
    )
    .await;
}

/// `sid`, or the configured claim.
pub async fn session_id_claim_is_binding<S: UserStore>(store: S) {
    let store = Arc::new(store);
    let app = App::new(Arc::clone(&store));
    let token = |claim: &str, id: serde_json::Value| {
        sign(&claims_with("several@example.com", json!({ claim: id })))
    };
    for id in ["ses_several_short", "ses_several_long_b", "ses_several_admin"] {
        app.accepts(&token("sid", json!(id)), id, "usr_several", id).await;
    }
    for id in
        ["ses_several_ended", "ses_ada", "ses_nowhere", "SES_SEVERAL_SHORT", "' OR true --", "%"]
    {
        app.rejects(&token("sid", json!(id)), id, NoActiveSession).await;
    }
    for id in [json!(""), json!(1), json!(["ses_several_short"]), json!({}), json!("ses\0")] {
        app.rejects(&token("sid", id.clone()), &id.to_string(), InvalidCredential).await;
    }
    let nobody = sign(&claims_with("nobody@example.com", json!({ "sid": "ses_ada" })));
    app.rejects(&nobody, "nobody", UserNotFound).await;

    let own_claim = App::of(builder(store).session_id_claim("session_id"));
    own_claim
        .accepts(
            &token("session_id", json!("ses_several_short")),
            "own claim",
            "usr_several",
            "ses_several_short",
        )
        .await;
    own_claim
        .accepts(
            &token("sid", json!("ses_nowhere")),
            "`sid` means nothing then",
            "usr_several",
            "ses_several_long_a",
        )
        .await;
}

/// Lookups without the layer.
pub async fn all_lookup_kinds_are_resolved<S: UserStore>(store: S) {
    let now = now();
    let ask = async |lookup: Lookup<'_>| match store.resolve(lookup).await.unwrap() {
        Resolution::Found { user, session, .. } => format!("{} {}", user.id(), session.id()),
        Resolution::UserNotFound => "no user".to_owned(),
        Resolution::NoActiveSession => "no session".to_owned(),
        other => panic!("{other:?}"),
    };
    let by_id = |id: &'static str| Lookup::by_user_id(id, now);
    assert_eq!(ask(by_id("usr_ada")).await, "usr_ada ses_ada");
    assert_eq!(ask(by_id("usr_several")).await, "usr_several ses_several_long_a");
    assert_eq!(
        ask(by_id("usr_several").with_session_id("ses_several_short")).await,
        "usr_several ses_several_short"
    );
    assert_eq!(ask(by_id("usr_several").with_session_id("ses_ada")).await, "no session");
    assert_eq!(ask(by_id("usr_expired")).await, "no session");
    for nobody in ["", "usr_nobody", "USR_ADA", "ada@example.com"] {
        assert_eq!(ask(by_id(nobody)).await, "no user", "{nobody}");
    }

    let token = |token: &str| SessionToken::new(token);
    let (ada, several) = (token("ses_ada"), token("ses_several_short"));
    assert_eq!(ask(Lookup::by_session_token(&ada, now)).await, "usr_ada ses_ada");
    assert_eq!(ask(Lookup::by_session_token(&several, now)).await, "usr_several ses_several_short");
    let narrowed = Lookup::by_session_token(&ada, now).with_session_id("ses_several_short");
    assert_eq!(ask(narrowed).await, "no session");
    for gone in ["", "ses_nowhere", "SES_ADA", "ses_expired_1", "ses_expired_2"] {
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
