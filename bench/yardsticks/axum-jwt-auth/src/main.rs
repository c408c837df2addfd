//! axum-jwt-auth: verifies the token without a lookup.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::FromRef;
use axum::routing::post;
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use jsonwebtoken::{Algorithm as Jws, DecodingKey, Validation};
use serde::Deserialize;
use serving::{Algorithm, Settings};

#[derive(Deserialize)]
struct Token {
    #[expect(dead_code, reason = "read from every token, as an application would")]
    email: String,
}

#[derive(Clone, FromRef)]
struct App {
    decoder: Decoder<Token>,
}

fn main() -> Result<(), serving::BoxError> {
    let settings = Settings::read()?;
    serving::run(async || {
        let (key, algorithm) = match settings.algorithm {
            Algorithm::Hs256 => (
                DecodingKey::from_secret(settings.secret.as_bytes()),
                Jws::HS256,
            ),
            Algorithm::EdDsa => (
                DecodingKey::from_ed_components(&settings.ed25519_x)?,
                Jws::EdDSA,
            ),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&[&settings.issuer]);
        let decoder = LocalDecoder::builder()
            .keys(vec![key])
            .validation(validation)
            .build()?;
        let chatkit = post(async |_: Claims<Token>, _: Bytes| serving::response());
        Ok(Router::new()
            .route("/support/chatkit", chatkit)
            .with_state(App {
                decoder: Arc::new(decoder),
            }))
    })
}
