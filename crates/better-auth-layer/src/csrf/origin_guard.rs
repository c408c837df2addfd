//! The origin check of requests with a session cookie.
//!
//! The check runs before verification and does not depend on the secret or the store. The `Host` of
//! the request is not a trusted origin: behind a proxy, the client may control it.

use http::header::{ORIGIN, UPGRADE};
use http::{HeaderName, Method, request};

use super::TrustedOrigin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Rejects requests with a cookie that may change data and come from a page of another origin.
///
/// Browsers add the cookie to requests of any page; `SameSite=Lax`, Better Auth's default, still
/// allows pages of sibling subdomains. The browser identifies the page in `Sec-Fetch-Site` (Fetch
/// Metadata) and `Origin` (RFC 6454 §7), which no page can set.
#[derive(Debug)]
pub(crate) struct OriginGuard {
    pub(crate) trusted: Vec<TrustedOrigin>,
    /// Rejects a request without both headers, as Better Auth's own endpoints do. Otherwise such a
    /// request is accepted: browsers send one of them, servers that forward cookies do not.
    pub(crate) require_origin: bool,
}

impl OriginGuard {
    /// Whether a request with a session cookie is accepted.
    pub(crate) fn allows(&self, parts: &request::Parts) -> bool {
        if !may_change_data(parts) {
            return true;
        }
        let mut sites = parts.headers.get_all(SEC_FETCH_SITE).iter();
        let mut origins = parts.headers.get_all(ORIGIN).iter();
        let (site, origin) = (sites.next(), origins.next());
        // Browsers send each header once.
        if sites.next().is_some() || origins.next().is_some() {
            return false;
        }
        let is_trusted = || {
            origin
                .and_then(|origin| origin.to_str().ok())
                .is_some_and(|origin| self.trusted.iter().any(|trusted| trusted.matches(origin)))
        };
        match site.map(|site| site.as_bytes()) {
            Some(b"same-origin" | b"none") => true,
            Some(_) => is_trusted(),
            None if origin.is_some() => is_trusted(),
            None => !self.require_origin,
        }
    }
}

/// True except for the safe methods of RFC 9110 §9.2.1 that browsers use. A `GET` that starts a
/// WebSocket counts as well, because WebSockets are not subject to CORS.
fn may_change_data(parts: &request::Parts) -> bool {
    !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
        || parts.headers.contains_key(UPGRADE)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn allows(guard: &OriginGuard, method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.allows(&request.body(()).unwrap().into_parts().0)
    }

    fn guard(require_origin: bool) -> OriginGuard {
        OriginGuard {
            trusted: vec![TrustedOrigin::exactly("https://app.example.com")],
            require_origin,
        }
    }

    #[test]
    fn origin_headers_decide() {
        let (site, origin) = ("sec-fetch-site", "origin");
        let (ours, foreign) = ("https://app.example.com", "https://evil.test");
        let table: [(&[(&str, &str)], bool); 15] = [
            (&[], true),
            (&[(site, "same-origin")], true),
            (&[(site, "none")], true),
            (&[(site, "same-site")], false),
            (&[(site, "cross-site")], false),
            (&[(site, "Same-Origin")], false),
            (&[(site, "")], false),
            (&[(origin, ours)], true),
            (&[(origin, foreign)], false),
            (&[(origin, "null")], false),
            (&[(origin, "")], false),
            (&[(site, "cross-site"), (origin, ours)], true),
            (&[(site, "same-site"), (origin, foreign)], false),
            (&[(origin, ours), (origin, ours)], false),
            (&[(site, "none"), (site, "cross-site")], false),
        ];
        for (headers, expected) in table {
            assert_eq!(
                allows(&guard(false), "POST", headers),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn safe_methods_are_allowed() {
        let foreign = ("origin", "https://evil.test");
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert!(allows(&guard(true), method, &[foreign]), "{method}");
            let upgrade = [foreign, ("upgrade", "websocket")];
            assert!(!allows(&guard(true), method, &upgrade), "{method}");
        }
        for method in [
            "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "get", "BREW",
        ] {
            assert!(!allows(&guard(false), method, &[foreign]), "{method}");
        }
    }

    #[test]
    fn strict_guard_requires_a_header() {
        assert!(!allows(&guard(true), "POST", &[]));
        assert!(!allows(&guard(true), "GET", &[("upgrade", "websocket")]));
        assert!(allows(
            &guard(true),
            "POST",
            &[("sec-fetch-site", "same-origin")]
        ));
        assert!(allows(&guard(true), "GET", &[]));
    }
}
