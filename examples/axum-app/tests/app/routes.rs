//! Access to each route with each credential, over HTTP/1.1 and HTTP/2.

use better_auth_layer::testing::TestDeployment;

use crate::client::{Headers, VERSIONS};
use crate::world::World;

/// The routes without streams, which have separate tests.
const ROUTES: [(&str, &str); 7] = [
    ("GET", "/health"),
    ("GET", "/"),
    ("GET", "/me"),
    ("GET", "/files"),
    ("GET", "/admin"),
    ("GET", "/organization"),
    ("DELETE", "/account"),
];

fn senders(world: &World) -> Vec<(&'static str, Headers, [u16; 7])> {
    let World { ada, bob, .. } = world;
    let forger = TestDeployment::new()
        .user("ada@example.com")
        .id("ada")
        .create()
        .sign_in();
    let of = Headers::of;
    let basic = Headers::default().with("authorization", "Basic YWRhOnNlY3JldA==");
    let open = [200, 200, 401, 401, 401, 401, 401];
    let invalid = [200, 401, 401, 401, 401, 401, 401];
    let everything = [200; 7];
    // The token names a user but no session.
    let administrator = [200, 200, 200, 200, 200, 403, 403];
    let user = [200, 200, 200, 200, 403, 403, 403];
    let list_only = [200, 200, 200, 403, 403, 403, 403];
    vec![
        ("no credential", Headers::default(), open),
        ("another scheme", basic, open),
        (
            "tampered token",
            of(&ada.signed_token().tampered()),
            invalid,
        ),
        ("tampered cookie", of(&ada.cookie().tampered()), invalid),
        (
            "tampered key",
            of(&world.key_of_ada.credential().tampered()),
            invalid,
        ),
        ("expired JWT", of(&ada.jwt().expired().mint()), invalid),
        ("forged JWT", of(&ada.jwt().forged().mint()), invalid),
        (
            "another issuer's token",
            of(&forger.signed_token()),
            invalid,
        ),
        ("another issuer's cookie", of(&forger.cookie()), invalid),
        ("another issuer's JWT", of(&forger.jwt().mint()), invalid),
        ("ada's token", of(&ada.signed_token()), everything),
        ("ada's cookie", of(&ada.cookie()), everything),
        (
            "ada's JWT of her session",
            of(&ada.jwt().in_session().mint()),
            everything,
        ),
        ("ada's JWT", of(&ada.jwt().mint()), administrator),
        (
            "ada's JWT by secret",
            of(&ada.secret_jwt().mint()),
            administrator,
        ),
        (
            "ada's key",
            of(&world.key_of_ada.credential()),
            administrator,
        ),
        ("bob's token", of(&bob.signed_token()), user),
        ("bob's cookie", of(&bob.cookie()), user),
        ("bob's JWT", of(&bob.jwt().mint()), user),
        ("bob's key", of(&world.key_of_bob.credential()), list_only),
    ]
}

#[tokio::test]
async fn each_credential_has_its_routes() {
    let world = World::start().await;
    for version in VERSIONS {
        let client = world.client(version);
        for (sender, headers, expected) in senders(&world) {
            for ((method, path), status) in ROUTES.into_iter().zip(expected) {
                let what = format!("{version:?} {sender}: {method} {path}");
                let answer = client.send(method, path, &headers).await;
                assert_eq!(answer.status, status, "{what}: {answer:?}");
                let message = match status {
                    401 => "Invalid or expired JWT token",
                    403 => "Permission denied",
                    _ => continue,
                };
                let rejection = format!(r#"{{"error": "{message}", "status": {status}}}"#);
                assert_eq!(answer.body, rejection, "{what}");
                assert_eq!(
                    answer.header("content-type"),
                    Some("application/json"),
                    "{what}"
                );
                assert_eq!(
                    answer.header("www-authenticate").is_some(),
                    status == 401,
                    "{what}"
                );
            }
        }
    }
}

#[tokio::test]
async fn responses_name_the_caller() {
    let world = World::start().await;
    for version in VERSIONS {
        let client = world.client(version);
        let anonymous = Headers::default();
        for (headers, path, body) in [
            (&anonymous, "/health", "ok"),
            (&anonymous, "/", "hello, guest\n"),
            (
                &Headers::of(&world.bob.signed_token()),
                "/",
                "welcome back, bob\n",
            ),
            (
                &Headers::of(&world.bob.cookie()),
                "/me",
                r#"{"credential":"session_cookie","email":"bob@example.com","id":"bob"}"#,
            ),
            (
                &Headers::of(&world.bob.signed_token()),
                "/files",
                "the files of bob\n",
            ),
            (
                &Headers::of(&world.key_of_ada.credential()),
                "/files",
                "the files of ada, for key key_ada\n",
            ),
            (
                &Headers::of(&world.ada.signed_token()),
                "/admin",
                "ada is an administrator\n",
            ),
            (
                &Headers::of(&world.ada.signed_token()),
                "/organization",
                "ada works for acme as owner\n",
            ),
        ] {
            assert_eq!(
                client.get(path, headers).await.body,
                body,
                "{version:?} {path}"
            );
        }
    }
}

#[tokio::test]
async fn former_member_is_rejected() {
    let world = World::start().await;
    let former = world.ada.user().session();
    let former = former.active_organization("initech").create();
    for version in VERSIONS {
        let headers = Headers::of(&former.cookie());
        let answer = world.client(version).get("/organization", &headers).await;
        assert_eq!(answer.status, 403, "{version:?}");
    }
}

#[tokio::test]
async fn signed_out_user_is_rejected() {
    let world = World::start().await;
    world.ada.sign_out();
    for version in VERSIONS {
        let client = world.client(version);
        for headers in [
            Headers::of(&world.ada.signed_token()),
            Headers::of(&world.ada.cookie()),
        ] {
            assert_eq!(client.get("/me", &headers).await.status, 401);
            assert_eq!(client.get("/", &headers).await.status, 401);
        }
        assert_eq!(
            client
                .get("/me", &Headers::of(&world.bob.signed_token()))
                .await
                .status,
            200
        );
    }
}
