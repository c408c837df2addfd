//! Which web pages may call.

use std::time::Duration;

use better_auth_layer::Config;
use better_auth_layer::config::Env;
use http::{
    HeaderValue, Method, Uri,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, CorsLayer};

use crate::start_error::StartError;

const VARIABLE: &str = "CORS_ORIGINS";

/// How long a browser may remember the answer to a preflight.
const MAX_AGE: Duration = Duration::from_secs(600);

/// The CORS layer. Without `CORS_ORIGINS` it admits the pages of this machine, such as those of a
/// development server. Trusted pages are admitted in any case.
///
/// Credentials in the sense of CORS, which are cookies, are allowed to trusted pages alone, the same
/// whose requests pass the layer's guard. Everybody else sends the token in a header, which a foreign
/// page does not have; for the same reason any other header may be asked for.
pub(crate) fn layer(environment: &Env, settings: &Config) -> Result<CorsLayer, StartError> {
    let pages = Pages::read(environment.get(VARIABLE)?)?;
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(MAX_AGE);
    if matches!(pages, Pages::All) {
        return Ok(layer.allow_origin(AllowOrigin::any()));
    }
    let settings = settings.clone();
    let trusted = move |origin: &HeaderValue| {
        let origin = origin.to_str();
        origin.is_ok_and(|origin| settings.trusts_origin(origin))
    };
    let is_trusted = trusted.clone();
    Ok(layer
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            pages.admit(origin) || is_trusted(origin)
        }))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| {
            trusted(origin)
        })))
}

/// Which pages may call, beside the trusted ones.
enum Pages {
    OfThisMachine,
    Listed(Vec<HeaderValue>),
    All,
}

impl Pages {
    fn read(list: Option<&str>) -> Result<Self, StartError> {
        let Some(list) = list else {
            return Ok(Self::OfThisMachine);
        };
        if list.trim() == "*" {
            return Ok(Self::All);
        }
        let origins: Result<Vec<_>, _> =
            list.split(',').map(|entry| origin(entry.trim())).collect();
        Ok(Self::Listed(origins?))
    }

    fn admit(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::OfThisMachine => is_loopback(origin),
            Self::Listed(origins) => origins.contains(origin),
            Self::All => true,
        }
    }
}

/// An entry that no browser ever sends is a mistake: it would admit nobody, without a word.
fn origin(entry: &str) -> Result<HeaderValue, StartError> {
    let rest = entry
        .strip_prefix("https://")
        .or_else(|| entry.strip_prefix("http://"))
        .unwrap_or_default();
    let is_origin = !rest.is_empty()
        && !rest.contains(['/', '?', '#', '@', '*'])
        && !entry.contains(|sign: char| sign.is_ascii_uppercase())
        && entry.parse::<Uri>().is_ok();
    HeaderValue::from_str(entry)
        .ok()
        .filter(|_| is_origin)
        .ok_or_else(|| {
            StartError::of_variable(
                VARIABLE,
                &format!("has an entry that is no origin: {entry:?}"),
                "write `https://app.example.com,http://localhost:3000`, in lower case and \
                 without a path, or `*` for every page",
            )
        })
}

fn is_loopback(origin: &HeaderValue) -> bool {
    let Ok(uri) = Uri::try_from(origin.as_bytes()) else {
        return false;
    };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_no_browser_sends_are_refused() {
        for good in [
            "https://app.example.com",
            "http://localhost:3000",
            "http://[::1]:3000",
        ] {
            assert_eq!(origin(good).unwrap(), good);
        }
        for bad in [
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://App.example.com",
            "https://*.example.com",
            "https://user@app.example.com",
            "null",
            "*",
            "https://app example.com",
        ] {
            let error = origin(bad).unwrap_err().to_string();
            assert!(error.starts_with("`CORS_ORIGINS` has an entry"), "{error}");
        }
    }

    #[test]
    fn only_this_machine_is_this_machine() {
        let is_loopback = |origin| is_loopback(&HeaderValue::from_static(origin));
        for own in [
            "http://localhost",
            "http://localhost:5173",
            "https://localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for foreign in [
            "null",
            "",
            "http://localhost.example.com",
            "http://example.com",
            "http://localhost@example.com",
            "ftp://localhost",
            "localhost",
            "file://localhost",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }
}
