//! One user with one session.

use std::sync::atomic::{AtomicUsize, Ordering};
use support::prelude::*;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The token of Ada's session, in Better Auth's format.
pub(crate) const TOKEN: &str = "XN6DtGUWabcdefghijklmnopqrstuvDc";

/// The default name of the cookie.
pub(crate) const COOKIE: &str = "better-auth.session_token";

#[derive(Clone)]
pub(crate) struct Counting {
    store: Arc<MemoryStore>,
    count: Arc<AtomicUsize>,
}

impl Counting {
    pub(crate) fn new() -> Self {
        let store = MemoryStore::new();
        store.insert_user(User::new("usr_ada", "ada@example.com"));
        let session = Session::new("ses_ada", "usr_ada", Timestamp::MAX);
        store.insert_session(session.with_token(SessionToken::new(TOKEN)));
        Self { store: Arc::new(store), count: Arc::default() }
    }

    pub(crate) fn store(&self) -> &MemoryStore {
        &self.store
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl UserStore for Counting {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.store.resolve(lookup).await
    }

    fn supports(&self, _: LookupKind) -> bool {
        true
    }
}

/// A layer with the deployment's secret.
pub(crate) fn layer() -> BetterAuthLayerBuilder {
    builder(Counting::new())
}

pub(crate) fn app() -> App {
    App::of(layer())
}

/// The value of a valid session cookie.
pub(crate) fn value() -> String {
    percent_encoded(&signed_session_token(TOKEN))
}

/// Encodes like JavaScript's `encodeURIComponent`.
pub(crate) fn percent_encoded(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
}

/// A valid session cookie.
pub(crate) fn cookie() -> String {
    format!("{COOKIE}={}", value())
}

/// Headers with arbitrary bytes.
pub(crate) fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}
