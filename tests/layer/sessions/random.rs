//! Random bytes in headers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;
use support::prelude::*;

use super::fixtures::{cookie, layer};

/// A generator with a fixed sequence (constants of Numerical Recipes).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.next() % of.len()]
    }
}

/// Fragments with a meaning for the parser, and random bytes.
fn text(numbers: &mut Numbers, good: &str) -> Vec<u8> {
    let pieces: [&[u8]; 22] = [
        b"Bearer ",
        b"better-auth.session_token",
        b"better-auth.session_data",
        b".0",
        b"=",
        b";",
        b" ",
        b"\t",
        b".",
        b"%",
        b"%3D",
        b"%zz",
        b"\"",
        b"eyJhbGciOiJIUzI1NiJ9",
        b"e30",
        b",",
        b"\xff",
        b"\xc3\xbc",
        b"A",
        b"==",
        b"__Secure-",
        good.as_bytes(),
    ];
    let count = numbers.next() % 12;
    let mut text = Vec::new();
    for _ in 0..count {
        let piece: &[u8] = numbers.pick::<&[u8]>(&pieces);
        text.extend_from_slice(piece);
    }
    // Changes one byte.
    if !text.is_empty() && numbers.next().is_multiple_of(3) {
        let at = numbers.next() % text.len();
        text[at] = u8::try_from(numbers.next() % 256).unwrap();
    }
    text
}

#[tokio::test]
async fn random_headers_never_fail() {
    let builder = layer()
        .api_keys(ApiKeys::new())
        .accept_raw_session_tokens()
        .cookie_cache(CookieCache::compact());
    let app = App::of(builder);
    let good = cookie();
    let mut numbers = Numbers(7);
    let (mut passed, mut refused) = (0, 0);
    for round in 0..20_000 {
        let mut all = HeaderMap::new();
        for _ in 0..=numbers.next() % 2 {
            let name = *numbers.pick(&["authorization", "cookie", "cookie", "x-api-key", "origin"]);
            // Invalid header values never reach the layer.
            if let Ok(value) = HeaderValue::from_bytes(&text(&mut numbers, &good)) {
                all.append(HeaderName::from_static(name), value);
            }
        }
        let mut request = Request::post("/").body(Full::<Bytes>::default()).unwrap();
        *request.headers_mut() = all.clone();
        let answer = app.request(request).await;
        match answer.status.as_u16() {
            200 => passed += 1,
            401 | 403 => refused += 1,
            other => panic!("{other} in round {round}: {all:?}"),
        }
        // Only the unchanged cookie is accepted.
        if answer.status == 200 {
            let whole = |value: &HeaderValue| {
                String::from_utf8_lossy(value.as_bytes()).contains(good.as_str())
            };
            assert!(all.get_all("cookie").iter().any(whole), "{all:?}");
        }
    }
    assert!(passed > 20 && refused > 15_000, "{passed} {refused}");
}
