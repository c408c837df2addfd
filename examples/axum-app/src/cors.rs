//! Which pages of other origins may call.

use std::time::Duration;

use axum::http::{
    HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Browsers keep the answer to a preflight for so long.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// The pages that are trusted with the session cookie, and no others.
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
