//! Two thousand tokens with random key ids while the endpoint hangs.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use support::prelude::*;

use http::Request;
use support::signer::claims;

use super::fixtures::{PATIENCE, builder, good};

fn authenticate(authenticator: &Authenticator, token: &str) -> Pin<Box<Authenticate>> {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    Box::pin(authenticator.authenticate(&parts))
}

#[tokio::test]
async fn known_keys_do_not_wait_for_a_fetch() {
    let signer = Signer::ed25519("first");
    let server = KeyServer::start(good(&signer)).await;
    let clock = clock();
    let options = JwksOptions::new().fetch_timeout(PATIENCE);
    let layer = builder(&clock)
        .key_source(RemoteKeySource::new(&server.url()).unwrap())
        .jwks_options(options)
        .build()
        .unwrap();
    let authenticator = layer.authenticator();
    let known = signer.token_for("usr_ada");
    authenticate(authenticator, &known).await.unwrap();
    server.reply(Reply::Silence);
    clock.advance(Duration::from_secs(30));

    let mut context = Context::from_waker(Waker::noop());
    let mut strangers = Vec::new();
    for number in 0..2_000 {
        let mut header = signer.header();
        header["kid"] = format!("random-{number}").into();
        let token = signer.sign_raw(&header, &claims("usr_ada").to_string());
        let mut stranger = authenticate(authenticator, &token);
        assert!(stranger.as_mut().poll(&mut context).is_pending());
        strangers.push(stranger);
        if number % 10 == 0 {
            // Lets the fetch start.
            tokio::task::yield_now().await;
            let mut friend = authenticate(authenticator, &known);
            let Poll::Ready(answer) = friend.as_mut().poll(&mut context) else {
                panic!("it waits");
            };
            assert!(answer.is_ok());
        }
    }
    let wait = async {
        while server.hits() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    assert_eq!(server.hits(), 2);
}
