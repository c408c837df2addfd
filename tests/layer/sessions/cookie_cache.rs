//! Cookie caches that are invalid or belong to a different session.

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::{hkdf, hmac};
use support::prelude::*;

use super::fixtures::{TOKEN, cookie};

struct Nobody;

impl UserStore for Nobody {
    async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
        Ok(Resolution::NoActiveSession)
    }
}

/// User and session as Better Auth writes them.
fn payload() -> Value {
    json!({
        "session": {
            "id": "ses_ada",
            "userId": "usr_ada",
            "token": TOKEN,
            "expiresAt": "2999-01-01T00:00:00.000Z",
            "createdAt": "2026-11-23T11:44:02.090Z",
            "updatedAt": "2026-11-23T11:44:02.090Z",
            "impersonatedBy": "usr_root",
            "activeOrganizationId": "org_1",
        },
        "user": {
            "id": "usr_ada",
            "email": "ada@example.com",
            "emailVerified": true,
            "name": "Ada",
            "role": "admin,editor",
            "banned": false,
            "plan": "gold",
            "credits": 7,
        },
        "updatedAt": NOW * 1000,
        "version": "1",
    })
}

/// Sets members by path, such as `user.id`. `null` removes a member.
fn with(mut value: Value, changes: &[(&str, Value)]) -> Value {
    for (path, new) in changes {
        let mut at = &mut value;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            if names.peek().is_some() {
                at = &mut at[name];
            } else if new.is_null() {
                at.as_object_mut().unwrap().remove(name);
            } else {
                at[name] = new.clone();
            }
        }
    }
    value
}

async fn status(app: &App, cache: &str) -> u16 {
    let header = format!("{}; better-auth.session_data={cache}", cookie());
    app.send(Cookie(&header)).await.status.as_u16()
}

fn believing(cache: CookieCache) -> BetterAuthLayerBuilder {
    builder(Nobody).cookie_cache(cache)
}

fn compact(payload: &Value, expires_at: i64) -> String {
    let inner = payload.to_string();
    let open_end = inner.strip_suffix('}').unwrap();
    let message = format!(r#"{open_end},"expiresAt":{expires_at}}}"#);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = base64url(hmac::sign(&key, message.as_bytes()));
    base64url(format!(
        r#"{{"session":{inner},"expiresAt":{expires_at},"signature":"{signature}"}}"#
    ))
}

/// Invalid users, sessions and versions.
fn bad_payloads() -> Vec<(&'static str, Vec<(&'static str, Value)>)> {
    vec![
        ("another session's token", vec![("session.token", json!(TOKEN.to_lowercase()))]),
        ("no token", vec![("session.token", Value::Null)]),
        ("another user's session", vec![("session.userId", json!("usr_eve"))]),
        ("ended", vec![("session.expiresAt", json!("2026-11-23T11:44:02.000Z"))]),
        ("an end that is no time", vec![("session.expiresAt", json!("never"))]),
        ("an end that is a number", vec![("session.expiresAt", json!(1))]),
        ("no end", vec![("session.expiresAt", Value::Null)]),
        ("another version", vec![("version", json!("2"))]),
        ("a version that is a number", vec![("version", json!(1))]),
        ("no user", vec![("user", Value::Null)]),
        ("a user that is text", vec![("user", json!("usr_ada"))]),
        ("no session", vec![("session", Value::Null)]),
        ("a user without an id", vec![("user.id", Value::Null)]),
        ("a user with a number for an id", vec![("user.id", json!(1))]),
        ("a user without an email", vec![("user.email", json!(""))]),
        ("a session with an empty id", vec![("session.id", json!(""))]),
    ]
}

#[tokio::test]
async fn compact_cache_is_validated() {
    let app = App::of(believing(CookieCache::compact()));
    let later = NOW * 1000 + 1;
    assert_eq!(status(&app, &compact(&payload(), later)).await, 200);
    let identity = app.identity();
    assert_eq!(identity.credential(), CredentialKind::CookieCache);
    assert_eq!(identity.expires_at().as_unix_millis(), later);
    let (user, session) = (identity.user(), identity.session().unwrap());
    assert!(user.email_verified());
    assert_eq!(user.roles().collect::<Vec<_>>(), ["admin", "editor"]);
    assert_eq!((user.field("plan"), user.field("credits")), (Some("gold"), Some("7")));
    assert_eq!(session.impersonated_by(), Some("usr_root"));
    assert_eq!(session.active_organization_id(), Some("org_1"));

    for (what, changes) in bad_payloads() {
        let bad = with(payload(), &changes);
        assert_eq!(status(&app, &compact(&bad, later)).await, 401, "{what}");
    }
    let without_version = with(payload(), &[("version", Value::Null)]);
    assert_eq!(status(&app, &compact(&without_version, later)).await, 200);
    assert_eq!(status(&app, &compact(&payload(), NOW * 1000)).await, 401, "expired");
    let good = compact(&payload(), later);
    for bad in [
        format!("{good}="),
        good[..good.len() - 1].to_owned(),
        good.replace('-', "+"),
        base64url(r#"{"session":{},"expiresAt":9999999999999,"signature":""}"#),
        base64url("[]"),
        base64url("{}"),
    ] {
        if bad != good {
            assert_eq!(status(&app, &bad).await, 401, "{bad}");
        }
    }
    // An additional member that is not signed.
    let json = format!(r#"{{"session":{},"expiresAt":{later},"signature":"","x":1}}"#, payload());
    assert_eq!(status(&app, &base64url(json)).await, 401);
}

#[tokio::test]
async fn banned_user_is_rejected() {
    let app = App::of(believing(CookieCache::compact()));
    for (changes, status_of_it) in [
        (vec![("user.banned", json!(true))], 403),
        (vec![("user.banned", json!(1))], 403),
        (
            vec![
                ("user.banned", json!(true)),
                ("user.banExpires", json!("2999-01-01T00:00:00.000Z")),
            ],
            403,
        ),
        (
            vec![
                ("user.banned", json!(true)),
                ("user.banExpires", json!("2001-01-01T00:00:00.000Z")),
            ],
            200,
        ),
        // If the end of the ban cannot be parsed, the cache is ignored.
        (vec![("user.banned", json!(true)), ("user.banExpires", json!("soon"))], 401),
    ] {
        let cache = compact(&with(payload(), &changes), NOW * 1000 + 1);
        assert_eq!(status(&app, &cache).await, status_of_it, "{changes:?}");
    }
}

#[tokio::test]
async fn jwt_cache_is_no_other_token() {
    let app = App::of(believing(CookieCache::jwt()));
    let claims = || with(payload(), &[("iat", json!(NOW)), ("exp", json!(NOW + 1))]);
    let bare = r#"{"alg":"HS256"}"#;
    let signed = |header: &str, claims: &Value| sign_raw(header, claims.to_string(), SECRET);
    assert_eq!(status(&app, &signed(bare, &claims())).await, 200);
    for (what, changes) in bad_payloads() {
        let bad = with(claims(), &changes);
        assert_eq!(status(&app, &signed(bare, &bad)).await, 401, "{what}");
    }
    for (what, header, changes) in [
        ("a type", r#"{"alg":"HS256","typ":"JWT"}"#, vec![]),
        ("a kid", r#"{"alg":"HS256","kid":"1"}"#, vec![]),
        ("another algorithm", r#"{"alg":"HS512"}"#, vec![]),
        ("expired", bare, vec![("exp", json!(NOW))]),
        ("without an end", bare, vec![("exp", Value::Null)]),
        ("with the marks of a mail", bare, vec![("email", json!("ada@example.com"))]),
        ("with the marks of a mail", bare, vec![("updateTo", json!("eve@example.com"))]),
        ("with the marks of a mail", bare, vec![("requestType", json!("x"))]),
    ] {
        let token = signed(header, &with(claims(), &changes));
        assert_eq!(status(&app, &token).await, 401, "{what}");
    }
    let other = sign_raw(bare, claims().to_string(), "another-secret-altogether");
    assert_eq!(status(&app, &other).await, 401);
    // Only the configured kind of cache is accepted.
    let compact = compact(&payload(), NOW * 1000 + 1);
    assert_eq!(status(&app, &compact).await, 401);
}

/// A compact JWE with the key derived from the secret (RFC 7518 §5.2.5).
fn encrypted(header: &Value, claims: &Value) -> String {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            64
        }
    }
    let mut key = [0; 64];
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"better-auth-session")
        .extract(SECRET.as_bytes())
        .expand(&[b"BetterAuth.js Generated Encryption Key"], Length)
        .unwrap()
        .fill(&mut key)
        .unwrap();
    let (tag_key, content_key) = key.split_at(32);
    let content_key = UnboundCipherKey::new(&AES_256, content_key).unwrap();
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(content_key).unwrap();
    let mut content = claims.to_string().into_bytes();
    let context = cipher.encrypt(&mut content).unwrap();
    let iv: &[u8] = (&context).try_into().unwrap();
    let header = base64url(header.to_string());
    let header_bits = (header.len() as u64 * 8).to_be_bytes();
    let sealed = [header.as_bytes(), iv, &content, &header_bits].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, tag_key), &sealed);
    let tag = base64url(&tag.as_ref()[..32]);
    format!("{header}..{}.{}.{tag}", base64url(iv), base64url(&content))
}

#[tokio::test]
async fn jwe_cache_is_validated() {
    let app = App::of(believing(CookieCache::jwe()));
    let header = || json!({ "alg": "dir", "enc": "A256CBC-HS512" });
    let claims = || with(payload(), &[("iat", json!(NOW)), ("exp", json!(NOW + 1))]);
    assert_eq!(status(&app, &encrypted(&header(), &claims())).await, 200);
    for (what, changes) in bad_payloads() {
        let bad = encrypted(&header(), &with(claims(), &changes));
        assert_eq!(status(&app, &bad).await, 401, "{what}");
    }
    for (member, value) in [
        ("alg", json!("A256KW")),
        ("alg", Value::Null),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("kid", json!("another key's")),
    ] {
        let header = with(header(), &[(member, value)]);
        assert_eq!(status(&app, &encrypted(&header, &claims())).await, 401, "{header}");
    }
    // A tolerance of 15 seconds, as in Better Auth.
    for (end, status_of_it) in [(NOW - 14, 200), (NOW - 15, 401)] {
        let cache = encrypted(&header(), &with(claims(), &[("exp", json!(end))]));
        assert_eq!(status(&app, &cache).await, status_of_it, "{end}");
    }
}

#[tokio::test]
async fn jwks_cache_is_no_other_token() {
    let signer = Signer::ed25519("k");
    let keys: KeySet = jwks([&signer]).parse().unwrap();
    let believing = believing(CookieCache::jwks()).base_url(ISSUER);
    let app = App::of(believing.key_source(keys));
    let claims = || {
        with(
            payload(),
            &[
                ("sid", json!(TOKEN)),
                ("sub", json!("usr_ada")),
                ("iss", json!(ISSUER)),
                ("aud", json!("better-auth:session-cache")),
                ("exp", json!(NOW + 1)),
            ],
        )
    };
    let typ = "better-auth.session-cache+jwt";
    let signed = |typ: Option<&str>, claims: &Value| {
        let mut header = signer.header();
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        signer.sign_raw(&header, &claims.to_string())
    };
    assert_eq!(status(&app, &signed(Some(typ), &claims())).await, 200);
    for (what, changes) in bad_payloads() {
        let bad = with(claims(), &changes);
        assert_eq!(status(&app, &signed(Some(typ), &bad)).await, 401, "{what}");
    }
    for (what, typ, changes) in [
        ("no type", None, vec![]),
        ("another type", Some("JWT"), vec![]),
        ("another audience", Some(typ), vec![("aud", json!(ISSUER))]),
        ("no audience", Some(typ), vec![("aud", Value::Null)]),
        ("another issuer", Some(typ), vec![("iss", json!("https://other.example"))]),
        ("no issuer", Some(typ), vec![("iss", Value::Null)]),
        ("another subject", Some(typ), vec![("sub", json!("usr_eve"))]),
        ("another token", Some(typ), vec![("sid", json!("x"))]),
        ("no token", Some(typ), vec![("sid", Value::Null)]),
        ("expired", Some(typ), vec![("exp", json!(NOW - 15))]),
    ] {
        let token = signed(typ, &with(claims(), &changes));
        assert_eq!(status(&app, &token).await, 401, "{what}");
    }
    // A tolerance of 15 seconds, as in Better Auth.
    let late = with(claims(), &[("exp", json!(NOW - 14))]);
    assert_eq!(status(&app, &signed(Some(typ), &late)).await, 200);
    let impostor = Signer::ed25519("k");
    let token =
        impostor.sign_raw(&json!({"alg": "EdDSA", "kid": "k", "typ": typ}), &claims().to_string());
    assert_eq!(status(&app, &token).await, 401);
    // It is no valid bearer token.
    app.rejects(&signed(Some(typ), &claims()), "as a bearer token", InvalidCredential).await;
}

/// Better Auth's option `jwt.issuer` applies to session JWTs. A cache has the origin of the
/// deployment.
#[tokio::test]
async fn issuer_of_jwts_is_not_the_caches() {
    let signer = Signer::ed25519("k");
    let keys: KeySet = jwks([&signer]).parse().unwrap();
    let own = "https://issuer.example";
    let believing = believing(CookieCache::jwks()).base_url(ISSUER);
    let app = App::of(believing.jwks_issuer(own).key_source(keys));
    let mut header = signer.header();
    header["typ"] = json!("better-auth.session-cache+jwt");
    for (issuer, expected) in [(ISSUER, 200), (own, 401)] {
        let claims = with(
            payload(),
            &[
                ("sid", json!(TOKEN)),
                ("sub", json!("usr_ada")),
                ("iss", json!(issuer)),
                ("aud", json!("better-auth:session-cache")),
                ("exp", json!(NOW + 1)),
            ],
        );
        let cache = signer.sign_raw(&header, &claims.to_string());
        assert_eq!(status(&app, &cache).await, expected, "{issuer}");
    }
}

/// An invalid cache is not rejected, because the session may have been extended.
#[tokio::test]
async fn invalid_cache_falls_back_to_store() {
    let store = super::fixtures::Counting::new();
    let app = App::of(builder(store.clone()).cookie_cache(CookieCache::compact()));
    let later = NOW * 1000 + 1;
    assert_eq!(status(&app, &compact(&payload(), later)).await, 200);
    assert_eq!(app.identity().credential(), CredentialKind::CookieCache);
    assert_eq!(store.count(), 0);
    for (index, (what, changes)) in bad_payloads().into_iter().enumerate() {
        let cache = compact(&with(payload(), &changes), later);
        assert_eq!(status(&app, &cache).await, 200, "{what}");
        let credential = app.identity().credential();
        assert_eq!(credential, CredentialKind::SessionCookie, "{what}");
        assert_eq!(store.count(), index + 1, "{what}");
    }
}
