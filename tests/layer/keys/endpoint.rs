//! All responses of a key endpoint, valid and invalid.

use cluster::CertificateAuthority;
use support::prelude::*;

use super::fixtures::{Issuer, PATIENCE, builder, good};

const SECOND: Duration = Duration::from_secs(1);

/// Responses that contain no key set.
fn useless() -> Vec<(&'static str, Reply)> {
    let key = |members: Value| Reply::Body(json!({ "keys": [members] }).to_string());
    vec![
        ("closed", Reply::Nothing),
        ("garbage", Reply::Garbage),
        ("a page", Reply::Body("<html>Sign in</html>".to_owned())),
        ("empty body", Reply::Body(String::new())),
        ("null", Reply::Body("null".to_owned())),
        ("an error", Reply::Status(500, "oops".to_owned())),
        ("not found", Reply::Status(404, "{}".to_owned())),
        ("no content", Reply::Status(204, String::new())),
        ("no keys", Reply::Body(r#"{"keys":[]}"#.to_owned())),
        ("endless", Reply::Endless),
        ("too long", Reply::Body(format!("{}{{\"keys\":[]}}", " ".repeat(300_000)))),
        ("too deep", Reply::Body("[".repeat(100_000))),
        (
            "a symmetric key",
            key(json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "first"})),
        ),
    ]
}

#[tokio::test]
async fn missing_keys_are_unavailable() {
    for (what, reply) in useless() {
        let issuer = Issuer::new(|_| reply).await;
        let token = issuer.signer.token_for("usr_ada");
        issuer.rejects(&token, what, Unavailable).await;
        // Once the endpoint has keys, they are fetched and used.
        issuer.server.reply(good(&issuer.signer));
        issuer.clock.advance(SECOND);
        issuer.works(what).await;
    }
}

#[tokio::test]
async fn known_keys_survive_failures() {
    for (what, reply) in useless() {
        let issuer = Issuer::warm().await;
        issuer.server.reply(reply);
        issuer.clock.advance(Duration::from_secs(5 * 60));
        issuer.works(what).await;
        issuer.wait_for_hits(2).await;
        issuer.works(what).await;
        // A missing key may be new, so the result is unavailable.
        issuer.clock.advance(SECOND);
        let other = Signer::ed25519("second").token_for("usr_ada");
        issuer.rejects(&other, what, Unavailable).await;
    }
}

#[tokio::test]
async fn slow_endpoint_blocks_no_known_key() {
    let options = JwksOptions::new().fetch_timeout(Duration::from_millis(300));
    for reply in [Reply::Silence, Reply::Drip(" ".repeat(10_000))] {
        let issuer = Issuer::with(good, options.clone()).await;
        issuer.works("warm").await;
        issuer.server.reply(reply.clone());
        issuer.clock.advance(Duration::from_secs(30));
        let other = Signer::ed25519("second").token_for("usr_ada");
        let waiting = issuer.send(&other);
        let known = async {
            issuer.wait_for_hits(2).await;
            issuer.works("during a hanging fetch").await;
        };
        let (answer, ()) = tokio::join!(waiting, known);
        assert_eq!(answer.status, 503, "{reply:?}");
    }
}

#[tokio::test]
async fn slow_first_fetch_is_unavailable() {
    let options = JwksOptions::new().fetch_timeout(Duration::from_millis(200));
    for reply in [Reply::Silence, Reply::Drip(" ".repeat(10_000))] {
        let issuer = Issuer::with(|_| reply, options.clone()).await;
        let token = issuer.signer.token_for("usr_ada");
        issuer.rejects(&token, "cold and slow", Unavailable).await;
        // A slow fetch is not repeated immediately.
        issuer.rejects(&token, "right after", Unavailable).await;
        assert_eq!(issuer.server.hits(), 1);
        issuer.server.reply(good(&issuer.signer));
        issuer.clock.advance(SECOND);
        issuer.works("well again").await;
    }
}

#[tokio::test]
async fn closed_endpoint_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let source = RemoteKeySource::new(&format!("http://{address}/jwks")).unwrap();
    let app = App::of(builder(&clock()).key_source(source));
    let token = Signer::ed25519("first").token_for("usr_ada");
    app.rejects(&token, "nobody listens", Unavailable).await;
}

#[tokio::test]
async fn only_status_200_counts() {
    for status in [201, 203, 206, 400, 401, 403, 404, 429, 500, 503] {
        let issuer = Issuer::new(|signer| Reply::Status(status, jwks([signer]))).await;
        let token = issuer.signer.token_for("usr_ada");
        issuer.rejects(&token, "another status", Unavailable).await;
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = KeyServer::start(Reply::Nothing).await;
    for status in [301, 302, 303, 307, 308] {
        let issuer = Issuer::new(|_| Reply::Status(status, elsewhere.url())).await;
        elsewhere.reply(good(&issuer.signer));
        let token = issuer.signer.token_for("usr_ada");
        issuer.rejects(&token, "a redirect", Unavailable).await;
    }
    assert_eq!(elsewhere.hits(), 0);
}

#[tokio::test]
async fn token_is_never_sent_to_the_issuer() {
    let issuer = Issuer::new(good).await;
    let kid = "../../x?kid=y&z=\r\nx-evil: 1";
    let mut header = issuer.signer.header();
    header["kid"] = json!(kid);
    for member in ["jku", "x5u"] {
        header[member] = json!(format!("{}/stolen", issuer.server.origin()));
    }
    header["jwk"] = issuer.signer.jwk();
    let token = issuer.signer.sign_raw(&header, &support::signer::claims("usr_ada").to_string());
    issuer.rejects(&token, "an odd kid", InvalidCredential).await;
    let requests = issuer.server.requests();
    assert_eq!(requests.len(), 1);
    let head = &requests[0];
    assert!(head.starts_with("GET /api/auth/jwks HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("\r\naccept: application/jwk-set+json"));
    assert!(head.to_lowercase().contains("\r\nuser-agent: better-auth-layer/"));
    for leaked in ["evil", "kid", "authorization", "cookie"] {
        assert!(!head.to_lowercase().contains(leaked), "{leaked}: {head}");
    }
}

#[tokio::test]
async fn unsafe_urls_are_rejected() {
    for good in [
        "https://app.example.com/api/auth/jwks",
        "http://localhost:3000/jwks",
        "http://127.0.0.1/jwks",
        "http://[::1]:3000/jwks",
    ] {
        assert!(RemoteKeySource::new(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "jwks",
        "ftp://app.example.com/jwks",
        "file:///etc/jwks.json",
        "http://app.example.com/jwks",
        "http://localhost.example.com/jwks",
        "http://10.0.0.1/jwks",
        "https://user:password@app.example.com/jwks",
        "http://localhost@app.example.com/jwks",
    ] {
        let error = RemoteKeySource::new(bad).unwrap_err().to_string();
        assert!(error.starts_with("`jwks_url`"), "{error}");
        assert!(!error.contains("password@"), "{error}");
    }
    assert!(RemoteKeySource::dangerous_allow_http("http://auth:3000/api/auth/jwks").is_ok());
}

#[tokio::test]
async fn tls_uses_the_given_roots() {
    let folder = TemporaryFolder::new();
    let authority = CertificateAuthority::new();
    let pem = folder.path().join("authority.pem");
    std::fs::write(&pem, authority.pem()).unwrap();
    let signer = Signer::ed25519("first");
    let token = signer.token_for("usr_ada");
    let ask = async |authority: &CertificateAuthority, name: &str, trusts: bool| {
        let certificate = authority.issue(&[name]);
        let server = KeyServer::start_with_tls(good(&signer), &certificate).await;
        let mut source = RemoteKeySource::new(&server.url()).unwrap();
        if trusts {
            source = source.root_certificates(&pem).unwrap();
        }
        let app = App::of(builder(&clock()).key_source(source));
        let answer = tokio::time::timeout(PATIENCE, app.send(&token)).await;
        (answer.unwrap().status.as_u16(), server.hits())
    };
    assert_eq!(ask(&authority, "localhost", true).await, (200, 1));
    // A certificate of an unknown authority, of another private authority, and for another host.
    assert_eq!(ask(&authority, "localhost", false).await, (503, 0));
    let other = CertificateAuthority::new();
    assert_eq!(ask(&other, "localhost", true).await, (503, 0));
    assert_eq!(ask(&authority, "other.example", true).await, (503, 0));
    let missing = RemoteKeySource::new("https://a.example/jwks").unwrap();
    let error = missing.root_certificates(folder.path().join("none.pem"));
    assert!(error.is_err());
}

#[tokio::test]
async fn invalid_key_spoils_no_other() {
    let good = Signer::ed25519("first");
    let mut contradicting = Signer::new("ES256", "contradicting").jwk();
    contradicting["alg"] = json!("EdDSA");
    let unknown = json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "unknown", "pub": "AAAA"});
    let symmetric = json!({"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"});
    let set = json!({"keys": [contradicting, unknown, symmetric, good.jwk(), {"kty": 1}]});
    let issuer = Issuer::new(|_| Reply::Body(set.to_string())).await;
    issuer.accepts(&good.token_for("usr_ada"), "the good one").await;
    for kid in ["contradicting", "unknown", "symmetric"] {
        let token = Signer::ed25519(kid).token_for("usr_ada");
        issuer.rejects(&token, kid, InvalidCredential).await;
    }
}

#[tokio::test]
async fn ambiguous_kid_is_rejected() {
    let (one, other) = (Signer::ed25519("same"), Signer::ed25519("same"));
    let third = Signer::ed25519("third");
    let issuer = Issuer::new(|_| Reply::Body(jwks([&one, &other, &third, &third]))).await;
    for signer in [&one, &other] {
        let token = signer.token_for("usr_ada");
        issuer.rejects(&token, "two of one id", InvalidCredential).await;
    }
    issuer.accepts(&third.token_for("usr_ada"), "twice the same").await;
}
