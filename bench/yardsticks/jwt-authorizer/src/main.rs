//! jwt-authorizer: verifies the token without a lookup.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use jwt_authorizer::{IntoLayer as _, JwtAuthorizer, JwtClaims, RegisteredClaims, Validation};
use serving::{Algorithm, Settings};

fn main() -> Result<(), serving::BoxError> {
    let settings = Settings::read()?;
    serving::run(async || {
        let builder: JwtAuthorizer<RegisteredClaims> = match settings.algorithm {
            Algorithm::Hs256 => JwtAuthorizer::from_secret(&settings.secret),
            Algorithm::EdDsa => JwtAuthorizer::from_jwks_text(&settings.jwks),
        };
        let validation = Validation::new()
            .iss(&[&settings.issuer])
            .aud(&[&settings.issuer]);
        let authorizer = builder.validation(validation).build().await?;
        let chatkit =
            post(async |JwtClaims(_): JwtClaims<RegisteredClaims>, _: Bytes| serving::response());
        Ok(Router::new()
            .route("/support/chatkit", chatkit)
            .layer(authorizer.into_layer()))
    })
}
