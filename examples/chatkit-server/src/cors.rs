//! CORS: the web pages that may call, from `CORS_ORIGINS`.

use std::time::Duration;

use better_auth_layer::{Config, ConfigError, config::Env, csrf::TrustedOrigin};
use http::{HeaderValue, Method, header};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, CorsLayer};

/// Pages on this machine, such as those of a development server.
const LOOPBACK: &str = "http://localhost,http://localhost:*,https://localhost,https://localhost:*,\
    http://127.0.0.1,http://127.0.0.1:*,https://127.0.0.1,https://127.0.0.1:*,\
    http://[::1],http://[::1]:*,https://[::1],https://[::1]:*";

/// Allows the listed origins, and those that the layer trusts with the session cookie.
///
/// Only the trusted origins may send cookies. Other pages send a token.
pub(crate) fn layer(env: &Env, config: &Config) -> Result<CorsLayer, ConfigError> {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::RETRY_AFTER, header::WWW_AUTHENTICATE])
        .max_age(Duration::from_secs(600));
    let list = env.get("CORS_ORIGINS")?.unwrap_or(LOOPBACK).trim();
    if list == "*" {
        return Ok(layer.allow_origin(AllowOrigin::any()));
    }
    let listed: Vec<TrustedOrigin> = list.split(',').map(parse).collect::<Result<_, _>>()?;
    let config = config.clone();
    let is_trusted =
        move |origin: &HeaderValue| origin.to_str().is_ok_and(|text| config.trusts_origin(text));
    let may_send_cookies = is_trusted.clone();
    let is_allowed = move |origin: &HeaderValue| {
        let is_listed = |text| listed.iter().any(|pattern| pattern.matches(text));
        is_trusted(origin) || origin.to_str().is_ok_and(is_listed)
    };
    Ok(layer
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_allowed(origin)))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| {
            may_send_cookies(origin)
        })))
}

/// Rejects entries that match no origin of a browser.
fn parse(entry: &str) -> Result<TrustedOrigin, ConfigError> {
    let entry = entry.trim();
    let is_origin = !entry.contains(|c: char| c.is_ascii_uppercase() || "@ ".contains(c));
    let pattern = entry.parse().ok().filter(|_| is_origin);
    pattern.ok_or_else(|| {
        let remedy = "write `https://app.example.com,http://localhost:3000`, in lower case and \
                      without a path, or `*` for all pages";
        ConfigError::new(
            "CORS_ORIGINS",
            format!("has an invalid entry: {entry:?}"),
            remedy,
        )
    })
}
