//! Which tokens are session JWTs, and which keys and algorithms verify them.

use support::prelude::*;
use support::signer::{claims, claims_with};

use super::fixtures::builder;

fn keys(text: &str) -> KeySet {
    text.parse().unwrap()
}

fn app(signer: &Signer) -> App {
    App::of(builder(&clock()).key_source(keys(&jwks([signer]))))
}

#[tokio::test]
async fn all_algorithms_are_verified() {
    for alg in ["EdDSA", "ES256", "ES512", "RS256", "PS256"] {
        let signer = Signer::new(alg, "1");
        let app = app(&signer);
        let token = signer.token_for("usr_ada");
        app.accepts(&token, alg, "usr_ada", "ses_ada").await;
        let identity = app.identity();
        assert_eq!(identity.credential(), CredentialKind::Jwt);
        assert_eq!(identity.expires_at().as_unix_seconds(), NOW + 900);
        let claims: Value = serde_json::from_str(identity.claims_json().unwrap()).unwrap();
        assert_eq!(claims["name"], "Ada");

        let (input, signature) = token.rsplit_once('.').unwrap();
        let other = signer.token_for("usr_eve");
        let (_, other_signature) = other.rsplit_once('.').unwrap();
        for forged in [
            format!("{input}.{other_signature}"),
            format!("{input}.{}", &signature[..signature.len() - 4]),
            format!("{input}.AAAA"),
            format!("{input}."),
        ] {
            app.rejects(&forged, alg, InvalidCredential).await;
        }
        // A different key with the same algorithm and id.
        let impostor = Signer::new(alg, "1").token_for("usr_ada");
        app.rejects(&impostor, alg, InvalidCredential).await;
    }
}

#[tokio::test]
async fn ed25519_is_an_alias() {
    let signer = Signer::ed25519("k");
    let mut jwk = signer.jwk();
    jwk["alg"] = json!("Ed25519");
    let key_set = keys(&json!({ "keys": [jwk] }).to_string());
    let app = App::of(builder(&clock()).key_source(key_set));
    for alg in ["EdDSA", "Ed25519"] {
        let header = json!({ "alg": alg, "kid": "k" });
        let token = signer.sign_raw(&header, &claims("usr_ada").to_string());
        app.accepts(&token, alg, "usr_ada", "ses_ada").await;
    }
}

/// The reason in the log.
async fn reason(app: &App, log: &CapturedLog, token: &str) -> String {
    log.take();
    let answer = app.send(token).await;
    let text = log.take();
    answer.assert_rejected(&text, InvalidCredential);
    let (_, rest) = text.split_once("reason=").expect("a reason");
    rest.split(" kid=").next().unwrap().to_owned()
}

#[tokio::test]
async fn key_decides_the_algorithm() {
    let (log, _guard) = CapturedLog::start();
    let ed25519 = Signer::ed25519("ed");
    let rsa = Signer::new("RS256", "rsa");
    let set = jwks([&ed25519, &rsa]);
    let with_secret = builder(&clock()).secret(Secret::new(SECRET).unwrap());
    let app = App::of(with_secret.key_source(keys(&set)));
    let body = claims_with("usr_ada", &json!({ "email": "ada@example.com" })).to_string();
    let public = rsa.jwk();
    let hmac = |secret: &str, kid: &str| {
        sign_raw(&json!({ "alg": "HS256", "kid": kid }).to_string(), &body, secret)
    };
    for (token, expected) in [
        // The public key used as an HMAC secret, in several encodings.
        (hmac(public["n"].as_str().unwrap(), "rsa"), "signature_mismatch"),
        (hmac(&public.to_string(), "rsa"), "signature_mismatch"),
        (hmac(&set, "rsa"), "signature_mismatch"),
        (hmac(ed25519.jwk()["x"].as_str().unwrap(), "ed"), "signature_mismatch"),
        // The header names another algorithm than the key.
        (rsa.sign_raw(&json!({ "alg": "PS256", "kid": "rsa" }), &body), "key_algorithm_mismatch"),
        (rsa.sign_raw(&json!({ "alg": "EdDSA", "kid": "rsa" }), &body), "key_algorithm_mismatch"),
        (
            ed25519.sign_raw(&json!({ "alg": "ES256", "kid": "ed" }), &body),
            "key_algorithm_mismatch",
        ),
        // Unknown algorithms.
        (ed25519.sign_raw(&json!({ "alg": "none", "kid": "ed" }), &body), "algorithm_not_accepted"),
        (
            ed25519.sign_raw(&json!({ "alg": "ES384", "kid": "ed" }), &body),
            "algorithm_not_accepted",
        ),
        (
            ed25519.sign_raw(&json!({ "alg": "eddsa", "kid": "ed" }), &body),
            "algorithm_not_accepted",
        ),
        (
            ed25519.sign_raw(&json!({ "alg": "HS512", "kid": "ed" }), &body),
            "algorithm_not_accepted",
        ),
        // Keys inside the token.
        (
            Signer::ed25519("own").sign_raw(
                &json!({ "alg": "EdDSA", "kid": "own", "jwk": Signer::ed25519("own").jwk() }),
                &body,
            ),
            "kid_unknown",
        ),
        (ed25519.sign_raw(&json!({ "alg": "EdDSA" }), &body), "kid_missing"),
        (ed25519.sign_raw(&json!({ "alg": "EdDSA", "kid": "" }), &body), "kid_missing"),
        (ed25519.sign_raw(&json!({ "alg": "EdDSA", "kid": 1 }), &body), "header_malformed"),
        (
            ed25519.sign_raw(&json!({ "alg": "EdDSA", "kid": "ed", "crit": ["exp"] }), &body),
            "critical_extension",
        ),
    ] {
        assert_eq!(reason(&app, &log, &token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn rsa_algorithm_is_configurable() {
    for (alg, other) in [("RS256", "PS256"), ("PS256", "RS256")] {
        let signer = Signer::new(alg, "rsa");
        let mut jwk = signer.jwk();
        jwk.as_object_mut().unwrap().remove("alg");
        let set = json!({ "keys": [jwk] }).to_string();
        let named = |name: &str| match name {
            "RS256" => JwsAlgorithm::Rs256,
            _ => JwsAlgorithm::Ps256,
        };
        let app = |options: JwksOptions| {
            let builder = builder(&clock()).jwks_options(options);
            App::of(builder.key_source(keys(&set)))
        };
        let token = signer.token_for("usr_ada");
        let configured = app(JwksOptions::new().rsa_algorithm(named(alg)));
        configured.accepts(&token, alg, "usr_ada", "ses_ada").await;
        for options in [JwksOptions::new(), JwksOptions::new().rsa_algorithm(named(other))] {
            let answer = app(options).send(&token).await;
            answer.assert_rejected(alg, InvalidCredential);
        }
    }
}

#[tokio::test]
async fn foreign_tokens_are_rejected() {
    let (log, _guard) = CapturedLog::start();
    let signer = Signer::ed25519("k");
    let app = app(&signer);
    let changed = |changes: Value| signer.sign(&claims_with("usr_ada", &changes));
    let typed = |typ: &str| {
        let mut header = signer.header();
        header["typ"] = json!(typ);
        signer.sign_raw(&header, &claims("usr_ada").to_string())
    };
    app.accepts(&typed("JWT"), "typ: JWT", "usr_ada", "ses_ada").await;
    for (token, expected) in [
        (typed("at+jwt"), "typ_not_accepted"),
        (typed("application/at+jwt"), "typ_not_accepted"),
        (typed("logout+jwt"), "typ_not_accepted"),
        (typed("better-auth.session-cache+jwt"), "typ_not_accepted"),
        (changed(json!({ "azp": "client" })), "not_a_session_jwt: azp"),
        (changed(json!({ "client_id": "client" })), "not_a_session_jwt: client_id"),
        (changed(json!({ "events": {} })), "not_a_session_jwt: events"),
        (changed(json!({ "nonce": "n" })), "not_a_session_jwt: nonce"),
        (changed(json!({ "at_hash": "h" })), "not_a_session_jwt: at_hash"),
        (changed(json!({ "session": {}, "sid": "t" })), "not_a_session_jwt: session"),
        (changed(json!({ "sub": null })), "claim_missing: sub"),
        (changed(json!({ "sub": "" })), "claim_malformed: sub"),
        (changed(json!({ "sub": 1 })), "claim_malformed: sub"),
        (changed(json!({ "sub": "usr\u{0}ada" })), "claim_malformed: sub"),
        (changed(json!({ "iss": null })), "claim_missing: iss"),
        (changed(json!({ "iss": format!("{ISSUER}/") })), "issuer_mismatch"),
        (changed(json!({ "iss": format!("{ISSUER}/api/auth") })), "issuer_mismatch"),
        (changed(json!({ "iss": [ISSUER] })), "claim_malformed: iss"),
        (changed(json!({ "aud": null })), "claim_missing: aud"),
        (changed(json!({ "aud": "better-auth:session-cache" })), "audience_mismatch"),
        (changed(json!({ "aud": [] })), "audience_mismatch"),
        (changed(json!({ "aud": [ISSUER, 1] })), "claim_malformed: aud"),
        (changed(json!({ "aud": { "a": ISSUER } })), "claim_malformed: aud"),
        (changed(json!({ "exp": null })), "claim_missing: exp"),
        (changed(json!({ "exp": NOW })), "expired"),
        (changed(json!({ "exp": 3600 })), "expired"),
        (changed(json!({ "exp": (NOW + 9).to_string() })), "claim_malformed: exp"),
        (changed(json!({ "nbf": NOW + 1 })), "not_yet_valid"),
        (changed(json!({ "nbf": "now" })), "claim_malformed: nbf"),
        (signer.sign_raw(&signer.header(), "[]"), "claims_malformed"),
        (signer.sign_raw(&signer.header(), "not json"), "claims_malformed"),
        (
            signer.sign_raw(&signer.header(), r#"{"sub":"usr_ada","sub":"usr_ada"}"#),
            "claims_malformed",
        ),
    ] {
        assert_eq!(reason(&app, &log, &token).await, expected);
    }
}

#[tokio::test]
async fn jwt_claims_are_validated() {
    let signer = Signer::ed25519("k");
    let app = app(&signer);
    for changes in [
        json!({ "aud": ["https://other.example", ISSUER] }),
        json!({ "exp": NOW + 1 }),
        json!({ "nbf": NOW }),
        json!({ "email": null }),
        json!({ "email": 1, "scope": "x", "jti": "y", "sid": "ses_ada" }),
        json!({ "updateTo": "x", "requestType": "y" }),
    ] {
        let token = signer.sign(&claims_with("usr_ada", &changes));
        app.accepts(&token, &changes.to_string(), "usr_ada", "ses_ada").await;
    }
    let other_session = claims_with("usr_ada", &json!({ "sid": "ses_other" }));
    app.rejects(&signer.sign(&other_session), "another session", NoActiveSession).await;
    let nobody = signer.token_for("usr_nobody");
    app.rejects(&nobody, "nobody", UserNotFound).await;
}

#[tokio::test]
async fn issuer_and_audience_are_separate() {
    let signer = Signer::ed25519("k");
    let of = |changes: Value| signer.sign(&claims_with("usr_ada", &changes));
    let app = |issuer: Option<&str>, audience: Option<&str>| {
        let mut builder = builder(&clock()).key_source(keys(&jwks([&signer])));
        // The rules for secret-signed tokens do not apply.
        builder = builder.issuer("https://of-secret-signed-tokens.example");
        if let Some(issuer) = issuer {
            builder = builder.jwks_issuer(issuer);
        }
        if let Some(audience) = audience {
            builder = builder.audience(audience);
        }
        App::of(builder)
    };
    let own = "https://issuer.example";
    let api = "https://api.example";
    for (issuer, audience, changes, status) in [
        (None, None, json!({}), 200),
        (Some(own), None, json!({ "iss": own }), 200),
        (Some(own), None, json!({}), 401),
        (None, Some(api), json!({ "aud": api }), 200),
        (None, Some(api), json!({}), 401),
        (Some(own), Some(api), json!({ "iss": own, "aud": [api] }), 200),
    ] {
        let answer = app(issuer, audience).send(&of(changes.clone())).await;
        assert_eq!(answer.status, status, "{issuer:?} {audience:?} {changes}");
    }
}
