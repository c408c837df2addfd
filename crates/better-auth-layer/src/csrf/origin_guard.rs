//! The guard against cross-site request forgery.

use http::header::{ORIGIN, UPGRADE};
use http::{HeaderName, Method, request};

use super::TrustedOrigin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses requests that change something, come with a cookie, and were made for a page of another origin.
///
/// A browser adds the cookie to whatever any page asks for; `SameSite=Lax`, Better Auth's default, lets pages of
/// sibling subdomains pass. What tells the page is what the browser says by itself: `Sec-Fetch-Site` (Fetch Metadata)
/// and `Origin` (RFC 6454 §7). No page can write either.
#[derive(Debug)]
pub(crate) struct OriginGuard {
    pub(crate) trusted: Vec<TrustedOrigin>,
    /// Refuses a request that has neither header, as Better Auth's own endpoints do. Without it such a request is no
    /// browser's and passes, as those of servers that forward cookies.
    pub(crate) require_origin: bool,
}

impl OriginGuard {
    /// Whether a request that is authenticated by a cookie may pass.
    pub(crate) fn allows(&self, parts: &request::Parts) -> bool {
        if !changes_something(parts) {
            return true;
        }
        let mut sites = parts.headers.get_all(SEC_FETCH_SITE).iter();
        let mut origins = parts.headers.get_all(ORIGIN).iter();
        let (site, origin) = (sites.next(), origins.next());
        // No browser sends one of them twice.
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

/// Everything but the methods that RFC 9110 §9.2.1 calls safe and browsers use, and those where an upgrade follows: a
/// WebSocket begins with `GET`, is not held to the rules for cross-origin reading, and can do anything then.
fn changes_something(parts: &request::Parts) -> bool {
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
    fn what_the_browser_says_decides() {
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
    fn safe_methods_pass_unless_they_upgrade() {
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
    fn the_strict_guard_wants_to_know() {
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
