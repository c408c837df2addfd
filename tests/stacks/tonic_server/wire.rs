//! Wire format: rejections are trailers-only responses of unary and streaming methods.

use better_auth_layer::authorize::{AuthorizeLayer, Role};
use http::Version;
use support::prelude::*;
use tonic::Code;
use tonic::service::LayerExt as _;

use super::fixtures::{Door, HealthServer, Wire, ask, client, serve};

fn layer() -> BetterAuthLayer {
    builder(fixtures::memory()).build().unwrap()
}

fn broken() -> BetterAuthLayer {
    builder(store_fn(|_| async { Err(StoreError::timeout()) })).build().unwrap()
}

/// A rejected request and its status.
struct Refusal {
    what: &'static str,
    token: Option<String>,
    code: Code,
    message: &'static str,
    headers: &'static [(&'static str, &'static str)],
}

const NO_STORE: (&str, &str) = ("cache-control", "no-store");
const INVALID: (&str, &str) = ("www-authenticate", r#"Bearer error="invalid_token""#);

fn refusals() -> Vec<Refusal> {
    let refusal = |what, token, code, message, headers| Refusal {
        what,
        token: Some(token),
        code,
        message,
        headers,
    };
    let invalid = |what, token| {
        let message = "Invalid or expired JWT token";
        refusal(what, token, Code::Unauthenticated, message, &[NO_STORE, INVALID][..])
    };
    let expired = serde_json::json!({ "exp": support::test_clock::NOW });
    vec![
        Refusal {
            what: "no token",
            token: None,
            code: Code::Unauthenticated,
            message: "Invalid or expired JWT token",
            headers: &[NO_STORE, ("www-authenticate", "Bearer")],
        },
        invalid("no JWT", "x.y.z".to_owned()),
        invalid("expired", sign(&claims_with("ada@example.com", expired))),
        refusal(
            "nobody has this address",
            token_for("nobody@example.com"),
            Code::NotFound,
            "User not found with provided email",
            &[NO_STORE],
        ),
        refusal(
            "no session",
            token_for("no-session@example.com"),
            Code::NotFound,
            "No active sessions found for user",
            &[NO_STORE],
        ),
        refusal(
            "banned",
            token_for("banned@example.com"),
            Code::PermissionDenied,
            "User is banned",
            &[NO_STORE],
        ),
    ]
}

fn unavailable() -> Refusal {
    Refusal {
        what: "the store is down",
        token: Some(token_for("ada@example.com")),
        code: Code::Unavailable,
        message: "Authentication temporarily unavailable",
        headers: &[NO_STORE, ("retry-after", "1")],
    }
}

fn denied() -> Refusal {
    Refusal {
        what: "not an administrator",
        token: Some(token_for("several@example.com")),
        code: Code::PermissionDenied,
        message: "Permission denied",
        headers: &[NO_STORE],
    }
}

impl Refusal {
    async fn assert_on_the_wire(&self, address: std::net::SocketAddr) {
        for method in ["Check", "Watch"] {
            let what = format!("{}, {method}", self.what);
            let wire = Wire::call(address, Version::HTTP_2, method, |headers| {
                if let Some(token) = &self.token {
                    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
                }
            })
            .await;
            assert_eq!(wire.head.status, 200, "{what}");
            assert!(wire.headers_only, "{what}: {wire:?}");
            assert!(wire.body.is_empty() && wire.trailers.is_none(), "{what}: {wire:?}");
            let code = i32::from(self.code).to_string();
            let mut expected = vec![
                ("content-type", "application/grpc"),
                ("grpc-status", &code),
                ("grpc-message", self.message),
            ];
            expected.extend(self.headers);
            for (name, value) in &expected {
                assert_eq!(wire.header(name), Some(*value), "{what}");
            }
            // hyper adds the date, and there is no other header.
            let extra = wire.head.headers.keys().filter(|name| {
                *name != "date" && expected.iter().all(|(expected, _)| expected != name)
            });
            assert_eq!(extra.count(), 0, "{what}: {wire:?}");
        }
    }

    async fn assert_for_a_client(&self, address: std::net::SocketAddr) {
        let token = self.token.as_deref();
        let unary = client(address).check(ask("who", token)).await.unwrap_err();
        let streaming = client(address).watch(ask("who", token)).await.unwrap_err();
        for status in [unary, streaming] {
            assert_eq!(status.code(), self.code, "{}", self.what);
            assert_eq!(status.message(), self.message, "{}", self.what);
            for (name, value) in self.headers {
                let found = status.metadata().get(*name).map(|found| found.to_str().unwrap());
                assert_eq!(found, Some(*value), "{}", self.what);
            }
        }
    }
}

#[tokio::test]
async fn rejection_is_one_headers_frame() {
    let address = serve(layer().named_layer(HealthServer::new(Door::default())));
    for refusal in refusals() {
        refusal.assert_on_the_wire(address).await;
        refusal.assert_for_a_client(address).await;
    }
    let address = serve(broken().named_layer(HealthServer::new(Door::default())));
    unavailable().assert_on_the_wire(address).await;
    unavailable().assert_for_a_client(address).await;
}

/// The second layer rejects like the first.
#[tokio::test]
async fn policy_rejects_alike() {
    let admins = AuthorizeLayer::new(Role::new("admin"));
    let service = admins.named_layer(HealthServer::new(Door::default()));
    let address = serve(layer().named_layer(service));
    denied().assert_on_the_wire(address).await;
    denied().assert_for_a_client(address).await;
    for refusal in refusals() {
        refusal.assert_on_the_wire(address).await;
    }
    let ada = token_for("ada@example.com");
    let response = client(address).check(ask("who", Some(&ada))).await.unwrap();
    assert_eq!(super::fixtures::user_id(&response), "usr_ada");
}

/// A layer around the service hides its methods as well.
#[tokio::test]
async fn odd_paths_are_rejected() {
    let address = serve(layer().named_layer(HealthServer::new(Door::default())));
    for method in ["Check", "Check/", "check", "%43heck", "Check?x", "/Check", "Nothing", "../x"] {
        let wire = Wire::call(address, Version::HTTP_2, method, |_| {}).await;
        assert_eq!(wire.header("grpc-status"), Some("16"), "{method}: {wire:?}");
        assert!(wire.headers_only, "{method}: {wire:?}");
    }
}

#[tokio::test]
async fn response_has_body_and_trailers() {
    let address = serve(layer().named_layer(HealthServer::new(Door::default())));
    let wire = Wire::call(address, Version::HTTP_2, "Check", |headers| {
        let bearer = format!("Bearer {}", token_for("ada@example.com"));
        headers.insert("authorization", bearer.parse().unwrap());
    })
    .await;
    assert_eq!(wire.head.status, 200);
    assert!(!wire.headers_only);
    assert_eq!(wire.header("user-id"), Some("usr_ada"));
    assert_eq!(wire.header("grpc-status"), None);
    assert_eq!(wire.trailers.unwrap()["grpc-status"], "0");
}
