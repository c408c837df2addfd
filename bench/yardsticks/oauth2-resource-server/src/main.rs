//! tower-oauth2-resource-server: verifies the token without a lookup.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm as Jws;
use serving::{Algorithm, Settings};
use tower::{ServiceBuilder, service_fn};
use tower_oauth2_resource_server::claims::DefaultClaims;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

fn main() -> Result<(), serving::BoxError> {
    let settings = Settings::read()?;
    serving::run(async || {
        let (keys, algorithm) = match settings.algorithm {
            // It only accepts a key set; a secret is a key of type `oct`.
            Algorithm::Hs256 => (secret_as_a_set(&settings.secret), Jws::HS256),
            Algorithm::EdDsa => (settings.jwks.clone(), Jws::EdDSA),
        };
        let claims = ClaimsValidationSpec::new()
            .iss(&settings.issuer)
            .aud(&vec![settings.issuer.clone()])
            .exp(true);
        let tenant = TenantConfiguration::static_builder(keys)
            .claims_validation(claims)
            .allowed_algorithms(&[algorithm])
            .build()?;
        let server = OAuth2ResourceServer::<DefaultClaims>::builder()
            .add_tenant(tenant)
            .build()
            .await?;
        let service = ServiceBuilder::new().layer(server.into_layer());
        Ok(service.service(service_fn(serving::answer)))
    })
}

fn secret_as_a_set(secret: &str) -> String {
    let k = URL_SAFE_NO_PAD.encode(secret);
    format!(r#"{{"keys":[{{"kty":"oct","kid":"secret","alg":"HS256","k":"{k}"}}]}}"#)
}
