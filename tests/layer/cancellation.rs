//! A request may be dropped wherever it waits: it leaves nothing behind, and other requests
//! complete.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use support::prelude::*;

use http::{Request, Response};
use http_body_util::BodyExt;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};

const TOKEN: &str = "XN6DtGUWabcdefghijklmnopqrstuvDc";
const KEY: &str = "app_key_of_ada";

/// The number of polls for which each operation is pending.
const WAITS: usize = 3;

/// The number of operations in progress, and of those started.
#[derive(Debug, Default)]
struct Work {
    under_way: AtomicUsize,
    begun: AtomicUsize,
}

struct Guard<'w>(&'w Work);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Work {
    /// Yields a few times.
    async fn take_a_while(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let _under_way = Guard(self);
        for _ in 0..WAITS {
            tokio::task::yield_now().await;
        }
    }
}

#[derive(Debug, Default)]
struct Everything {
    fetches: Work,
    lookups: Work,
    calls: Work,
}

struct Keys(Arc<Everything>, String);

impl KeySource for Keys {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        self.0.fetches.take_a_while().await;
        self.1.parse()
    }
}

struct Store(Arc<Everything>, MemoryStore);

impl UserStore for Store {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        self.0.lookups.take_a_while().await;
        self.1.resolve(lookup).await
    }

    fn supports(&self, _: LookupKind) -> bool {
        true
    }
}

/// Responds with the ids after a while.
#[derive(Clone)]
struct Inner(Arc<Everything>);

impl Service<Request<()>> for Inner {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let (all, who) = (Arc::clone(&self.0), who(request.extensions().get().unwrap()));
        Box::pin(async move {
            all.calls.take_a_while().await;
            Ok(Response::new(who))
        })
    }
}

fn who(identity: &Identity) -> String {
    let session = identity.session().map(Session::id);
    let key = identity.api_key().map(ApiKey::id);
    format!("{} {}", identity.user().id(), session.or(key).unwrap())
}

/// A deployment after the start, without keys.
struct World {
    all: Arc<Everything>,
    /// Allows two concurrent requests.
    service: BetterAuth<ConcurrencyLimit<Inner>>,
    authenticator: Authenticator,
}

const AT_A_TIME: usize = 2;

impl World {
    fn new(signer: &Signer, is_cached: bool) -> Self {
        let all = Arc::new(Everything::default());
        let memory = MemoryStore::new();
        memory.insert_user(User::new("usr_ada", "ada@example.com"));
        let session = Session::new("ses_ada", "usr_ada", Timestamp::MAX);
        memory.insert_session(session.with_token(SessionToken::new(TOKEN)));
        memory.insert_api_key(ApiKey::new("key_ada", "usr_ada", ApiKeyHash::from_key(KEY)));
        let store = Store(Arc::clone(&all), memory);
        let builder = BetterAuthLayer::builder()
            .secret(Secret::new(SECRET).unwrap())
            .base_url(ISSUER)
            .clock(clock())
            .key_source(Keys(Arc::clone(&all), jwks([signer])))
            .api_keys(ApiKeys::new());
        let layer = if is_cached {
            builder.store(CachedStore::new(store)).build().unwrap()
        } else {
            builder.store(store).build().unwrap()
        };
        let limited = ConcurrencyLimit::new(Inner(Arc::clone(&all)), AT_A_TIME);
        Self { service: layer.layer(limited), authenticator: layer.authenticator().clone(), all }
    }

    /// Sends a request through the service or the authenticator.
    async fn ask(&self, way: Way, header: &(&'static str, String)) -> Asking {
        let request = Request::get("/").header(header.0, &header.1).body(()).unwrap();
        match way {
            Way::Service => {
                let mut service = self.service.clone();
                service.ready().await.unwrap();
                let answer = service.call(request);
                Box::pin(async {
                    let body = answer.await.unwrap().into_body().collect().await;
                    String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap()
                })
            }
            Way::Authenticate => {
                let answer = self.authenticator.authenticate(&request.into_parts().0);
                Box::pin(async { who(&answer.await.unwrap()) })
            }
        }
    }

    /// The fetches, lookups and service calls in progress.
    fn under_way(&self) -> [usize; 3] {
        let Everything { fetches, lookups, calls } = &*self.all;
        [fetches, lookups, calls].map(|work| work.under_way.load(Ordering::SeqCst))
    }

    fn lookups(&self) -> usize {
        self.all.lookups.begun.load(Ordering::SeqCst)
    }

    /// Asserts that dropped requests left nothing behind and that the next requests succeed.
    async fn assert_as_new(&self, held: usize, header: &(&'static str, String), what: &str) {
        settle().await;
        assert_eq!(self.under_way(), [0; 3], "{what}");
        assert_eq!(Arc::strong_count(&self.all), held, "{what}: something is kept");
        let mut requests = Vec::new();
        for _ in 0..AT_A_TIME {
            // This would hang if a permit had been lost.
            requests.push(self.ask(Way::Service, header).await);
        }
        let before = self.lookups();
        for request in requests {
            assert_eq!(finish(request).await, answer_to(header), "{what}");
        }
        // The requests run one after the other, so each starts at most one lookup.
        assert!(self.lookups() <= before + AT_A_TIME, "{what}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Service,
    Authenticate,
}

type Asking = Pin<Box<dyn Future<Output = String> + Send>>;

async fn poll(asking: &mut Asking) -> Poll<String> {
    let polled = std::future::poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx))).await;
    // Keys are fetched in a separate task.
    tokio::task::yield_now().await;
    polled
}

/// More polls than a request needs.
const ENDLESS: usize = 200;

async fn finish(mut asking: Asking) -> String {
    for _ in 0..ENDLESS {
        if let Poll::Ready(answer) = poll(&mut asking).await {
            return answer;
        }
    }
    panic!("no answer");
}

fn headers(signer: &Signer) -> Vec<(&'static str, String)> {
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let signed = signed_session_token(TOKEN);
    let cookie = signed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    vec![
        bearer(&token_for("ada@example.com")),
        bearer(&signer.token_for("usr_ada")),
        bearer(&signed),
        ("cookie", format!("better-auth.session_token={cookie}")),
        ("x-api-key", KEY.to_owned()),
    ]
}

fn answer_to(header: &(&'static str, String)) -> &'static str {
    match header.0 {
        "x-api-key" => "usr_ada key_ada",
        _ => "usr_ada ses_ada",
    }
}

#[tokio::test]
async fn dropped_request_leaves_nothing() {
    let signer = Signer::ed25519("first");
    for (number, header) in headers(&signer).iter().enumerate() {
        for (way, is_cached) in [
            (Way::Service, false),
            (Way::Service, true),
            (Way::Authenticate, false),
            (Way::Authenticate, true),
        ] {
            let mut stages = BTreeSet::new();
            for waits in 1..ENDLESS {
                let world = World::new(&signer, is_cached);
                let held = Arc::strong_count(&world.all);
                let what = format!("{number}, {way:?}, cached: {is_cached}, dropped at {waits}");
                let mut asking = world.ask(way, header).await;
                let mut answer = Poll::Pending;
                for _ in 0..waits {
                    answer = poll(&mut asking).await;
                    stages.insert(world.under_way());
                    if answer.is_ready() {
                        break;
                    }
                }
                drop(asking);
                world.assert_as_new(held, header, &what).await;
                if let Poll::Ready(answer) = answer {
                    assert_eq!(answer, answer_to(header), "{what}");
                    break;
                }
            }
            // Each waiting point has been reached.
            let has_fetch = number == 1;
            let has_call = matches!(way, Way::Service);
            for (stage, is_there) in
                [([1, 0, 0], has_fetch), ([0, 1, 0], true), ([0, 0, 1], has_call)]
            {
                assert_eq!(stages.contains(&stage), is_there, "{number}, {way:?}: {stages:?}");
            }
        }
    }
}

#[tokio::test]
async fn dropped_follower_affects_no_other() {
    const TOGETHER: usize = 4;
    let signer = Signer::ed25519("first");
    for (number, header) in headers(&signer).iter().enumerate() {
        for leaving in 0..TOGETHER {
            for waits in 1..ENDLESS {
                let world = World::new(&signer, false);
                let held = Arc::strong_count(&world.all);
                let what = format!("{number}, {leaving} of {TOGETHER} dropped at {waits}");
                let mut all = Vec::new();
                for _ in 0..TOGETHER {
                    all.push(Some(world.ask(Way::Authenticate, header).await));
                }
                let mut has_left = false;
                for round in 1.. {
                    for (who, asking) in all.iter_mut().enumerate() {
                        let Some(request) = asking else {
                            continue;
                        };
                        if let Poll::Ready(answer) = poll(request).await {
                            assert_eq!(answer, answer_to(header), "{what}");
                            *asking = None;
                        } else if who == leaving && round == waits {
                            *asking = None;
                            has_left = true;
                        }
                    }
                    if all.iter().all(Option::is_none) {
                        break;
                    }
                    assert!(round < ENDLESS, "{what}: a request hangs");
                }
                world.assert_as_new(held, header, &what).await;
                if !has_left {
                    break;
                }
            }
        }
    }
}
