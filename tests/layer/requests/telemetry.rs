//! The span and the metrics of a request.

use std::collections::BTreeMap;
use std::sync::Mutex;
use support::prelude::*;

use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use support::signer;
use tower::Layer;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::fixtures::{ada, api_key, ask, bearer, cookie, jwt, request, session, store, who};

/// A store without `try_resolve`.
struct Asked(Arc<MemoryStore>);

impl UserStore for Asked {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        self.0.resolve(lookup).await
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.0.supports(kind)
    }
}

fn layer() -> BetterAuthLayerBuilder {
    builder(Asked(store(ada(), session()))).api_keys(ApiKeys::new())
}

type Fields = BTreeMap<String, String>;

/// The fields of each span when it closes.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(String, Fields)>>>);

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Collect(&mut fields));
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        values.record(&mut Collect(extensions.get_mut::<Fields>().unwrap()));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let fields = span.extensions_mut().remove::<Fields>().unwrap();
        self.0.lock().unwrap().push((span.name().to_owned(), fields));
    }
}

/// The span of a request with these headers.
async fn span(builder: BetterAuthLayerBuilder, headers: &[(&'static str, String)]) -> Fields {
    // Another test may have cached that the span is disabled.
    let (_log, _guard) = support::captured_log::CapturedLog::start();
    let spans = Spans::default();
    let subscriber = Registry::default().with(spans.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let service = builder.build().unwrap().layer(who());
    ask(&service, request(headers)).await;
    let mut spans = std::mem::take(&mut *spans.0.lock().unwrap());
    assert_eq!(spans.len(), 1, "{spans:?}");
    let (name, fields) = spans.remove(0);
    assert_eq!(name, "authenticate");
    assert_eq!(fields["otel.kind"], "internal");
    fields
}

#[tokio::test]
async fn span_has_outcome_and_user() {
    let fields = span(layer(), &[cookie()]).await;
    assert_eq!(fields["better_auth.outcome"], "authenticated");
    assert_eq!(fields["better_auth.credential"], "session_cookie");
    assert_eq!(fields["user.id"], "usr_ada");
    assert!(fields.contains_key("better_auth.lookup.duration"));
    assert!(!fields.contains_key("error.type"));

    for (headers, outcome, credential) in [
        (vec![], "missing_credential", "none"),
        (vec![bearer("x.y.z")], "invalid_credential", "bearer"),
        (
            vec![("cookie", "better-auth.session_token=x".to_owned())],
            "invalid_credential",
            "session_cookie",
        ),
        (
            vec![cookie(), ("cookie", "better-auth.session_token=x".to_owned())],
            "invalid_credential",
            "session_cookie",
        ),
        (vec![("x-api-key", "app_unknown".to_owned())], "invalid_credential", "api_key"),
        (vec![("x-api-key", String::new())], "invalid_credential", "api_key"),
    ] {
        let fields = span(layer(), &headers).await;
        assert_eq!(fields["better_auth.outcome"], outcome, "{headers:?}");
        assert_eq!(fields["better_auth.credential"], credential, "{headers:?}");
        assert!(
            !fields.contains_key("user.id") && !fields.contains_key("error.type"),
            "{fields:?}"
        );
    }
}

#[tokio::test]
async fn outage_is_a_span_error() {
    let down = builder(store_fn(|_| async { Err(StoreError::timeout()) }));
    let fields = span(down, &[bearer(&jwt())]).await;
    assert_eq!(fields["better_auth.outcome"], "unavailable");
    assert_eq!(fields["error.type"], "unavailable");
    assert_eq!(fields["otel.status_code"], "ERROR");
}

struct Slow(TestClock, Arc<MemoryStore>);

impl UserStore for Slow {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        self.0.advance(Duration::from_secs(1));
        self.1.resolve(lookup).await
    }
}

#[tokio::test]
async fn span_has_the_lookup_duration() {
    let clock = clock();
    let slow = Slow(clock.clone(), store(ada(), session()));
    let fields = span(builder(slow).clock(clock), &[cookie()]).await;
    assert_eq!(fields["better_auth.lookup.duration"], "1.0");
}

/// The metrics by name and labels.
fn metrics(snapshotter: &Snapshotter) -> BTreeMap<String, DebugValue> {
    let snapshot = snapshotter.snapshot().into_vec();
    let named = snapshot.into_iter().map(|(key, _, _, value)| {
        let kind = match key.kind() {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let mut labels: Vec<String> = (key.key().labels())
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        labels.sort();
        (format!("{kind} {} {}", key.key().name(), labels.join(",")), value)
    });
    named.collect()
}

/// The metrics that a future records on this thread.
fn counted(run: impl Future<Output = ()>) -> BTreeMap<String, DebugValue> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(run));
    metrics(&snapshotter)
}

#[test]
fn requests_are_counted() {
    let metrics = counted(async {
        let service = layer().build().unwrap().layer(who());
        for _ in 0..2 {
            ask(&service, request(&[cookie()])).await;
        }
        ask(&service, request(&[api_key()])).await;
        ask(&service, request(&[])).await;
        ask(&service, request(&[bearer("x.y.z")])).await;
        let nobody = sign(&claims_with("nobody@example.com", serde_json::json!({})));
        ask(&service, request(&[bearer(&nobody)])).await;
    });
    let count = |labels: &str| metrics.get(&format!("counter better_auth_requests_total {labels}"));
    for (labels, times) in [
        ("credential=session_cookie,outcome=authenticated", 2),
        ("credential=api_key,outcome=authenticated", 1),
        ("credential=none,outcome=missing_credential", 1),
        ("credential=bearer,outcome=invalid_credential", 1),
        ("credential=bearer,outcome=user_not_found", 1),
    ] {
        assert_eq!(count(labels), Some(&DebugValue::Counter(times)), "{labels}: {metrics:?}");
    }
    let lookups =
        |labels: &str| metrics.get(&format!("counter better_auth_lookups_total {labels}"));
    assert_eq!(lookups("answered_by=store,kind=session_token"), Some(&DebugValue::Counter(2)));
    assert_eq!(lookups("answered_by=store,kind=email"), Some(&DebugValue::Counter(1)));
    let timed = |key: &str| match metrics.get(key) {
        Some(DebugValue::Histogram(values)) => values.len(),
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(timed("histogram better_auth_verify_duration_seconds credential=session_cookie"), 2);
    assert_eq!(
        timed("histogram better_auth_lookup_duration_seconds kind=session_token,outcome=found"),
        2
    );
    assert_eq!(
        timed("histogram better_auth_lookup_duration_seconds kind=email,outcome=not_found"),
        1
    );
}

struct AtHand;

impl UserStore for AtHand {
    async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
        Err(StoreError::timeout())
    }

    fn try_resolve(&self, _: &Lookup<'_>) -> Option<Resolution> {
        Some(Resolution::found(
            User::new("usr_ada", "ada@example.com"),
            Session::new("s", "usr_ada", at(NOW + 9)),
        ))
    }
}

#[test]
fn cache_hits_are_labelled() {
    let metrics = counted(async {
        let service = builder(AtHand).build().unwrap().layer(who());
        ask(&service, request(&[bearer(&jwt())])).await;
    });
    let cached = "counter better_auth_lookups_total answered_by=cache,kind=email";
    assert_eq!(metrics.get(cached), Some(&DebugValue::Counter(1)), "{metrics:?}");
    assert!(!metrics.keys().any(|key| key.contains("answered_by=store")));
}

#[test]
fn dropped_request_is_cancelled() {
    let metrics = counted(async {
        let never = store_fn(|_| std::future::pending::<Result<Resolution, StoreError>>());
        let auth = builder(never).build().unwrap();
        let (parts, _) = request(&[bearer(&jwt())]).into_parts();
        let mut verdict = Box::pin(auth.authenticator().authenticate(&parts));
        let poll = std::future::poll_fn(|cx| std::task::Poll::Ready(verdict.as_mut().poll(cx)));
        assert!(poll.await.is_pending());
    });
    let cancelled = "counter better_auth_requests_total credential=bearer,outcome=cancelled";
    assert_eq!(metrics.get(cancelled), Some(&DebugValue::Counter(1)), "{metrics:?}");
}

/// A key source that works once.
struct Source(String, Mutex<bool>);

impl KeySource for Source {
    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        if std::mem::replace(&mut *self.1.lock().unwrap(), true) {
            return Err(KeySourceError::new("down"));
        }
        KeySet::from_json(self.0.as_bytes())
    }
}

#[test]
fn key_age_is_a_gauge() {
    let metrics = counted(async {
        let signer = Signer::new("EdDSA", "kid_1");
        let clock = clock();
        let service = builder(store(ada(), session()))
            .base_url(signer::ISSUER)
            .key_source(Source(signer::jwks([&signer]), Mutex::default()))
            .api_keys(ApiKeys::new())
            .clock(clock.clone())
            .build()
            .unwrap()
            .layer(who());
        let token = signer.token_for("usr_ada");
        assert_eq!(ask(&service, request(&[bearer(&token)])).await.body, "usr_ada by jwt");
        clock.advance(Duration::from_secs(400));
        assert_eq!(ask(&service, request(&[bearer(&token)])).await.body, "usr_ada by jwt");
        // The refresh that starts here fails.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    });
    let age = metrics.get("gauge better_auth_jwks_age_seconds ");
    assert_eq!(age, Some(&DebugValue::Gauge(400.0.into())), "{metrics:?}");
    for outcome in ["fetched", "failed"] {
        let key = format!("counter better_auth_jwks_fetches_total outcome={outcome}");
        assert_eq!(metrics.get(&key), Some(&DebugValue::Counter(1)), "{metrics:?}");
    }
}
