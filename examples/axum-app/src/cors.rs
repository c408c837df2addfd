//! CORS.

use std::time::Duration;

use axum::http::{
    HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The time for which browsers cache a preflight response.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// Allows the origins that the layer trusts with the session cookie.
pub fn cors(trusts: impl Fn(&str) -> bool + Clone + Send + Sync + 'static) -> CorsLayer {
    let is_trusted = move |origin: &HeaderValue, _: &_| origin.to_str().is_ok_and(&trusts);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_trusted))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("x-api-key"),
        ])
        .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(MAX_AGE)
}
