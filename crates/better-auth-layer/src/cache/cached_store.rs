//! The store.

use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, UnitWeighter};
use tokio::runtime::Handle;

use super::answer::{Answer, Asked};
use super::builder::CachedStoreBuilder;
use super::invalidation::CacheInvalidator;
use super::revocations::{Announcements, Revocations};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::diagnostics::Check;
use crate::store::{Lookup, LookupKind, Question, QuestionRef, Resolution, StoreError, UserStore};

/// A [`UserStore`] whose answers are given again for a short while, without asking the store behind it.
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, ConfigError, Secret, UserStore};
/// use better_auth_layer::cache::CachedStore;
///
/// fn layer(secret: Secret, store: impl UserStore) -> Result<BetterAuthLayer, ConfigError> {
///     let store = CachedStore::new(store);
///     let cache = store.invalidator(); // for the parts of the application that end sessions and ban users
///     # let _ = cache;
///     BetterAuthLayer::builder().secret(secret).store(store).build()
/// }
/// ```
///
/// # What it costs
///
/// A session that ends elsewhere, a ban, a role that is taken away: all of it takes effect up to
/// [`ttl`](CachedStoreBuilder::ttl) later, 5 seconds by default, unless the cache is told with
/// [`invalidation`](Self::invalidator) or by a listener. An answer is never given after its session or API key has
/// ended, and credentials are verified every time.
///
/// Only those who were found are kept. That there is no such user or session is asked every time, so that a sign-in
/// takes effect at once; and a store that fails is asked again at the next request.
///
/// # How it works
///
/// An answer is found by the whole question, compared letter for letter, behind a keyed hash. A hit takes no exclusive
/// lock and allocates nothing. Answers live in [quick_cache](https://docs.rs/quick_cache), of which a hit took 35 ns
/// (moka: 130 ns, and a queue to append to; papaya: 31 ns, without a bound) and an entry 48 bytes beside key and value
/// (moka: 223).
pub struct CachedStore<S> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    store: S,
    answers: Cache<Question, Arc<Answer>, UnitWeighter, RandomState>,
    revocations: Arc<Revocations>,
    terms: Terms,
    clock: Arc<dyn Clock>,
}

/// How long answers are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) ttl: Duration,
    pub(super) ttl_while_leased: Duration,
    pub(super) refresh_ahead: Duration,
}

/// How many answers are kept unless somebody says otherwise.
pub(super) const MAX_ENTRIES: usize = 10_000;

impl Terms {
    pub(super) const DEFAULT: Self = Self {
        ttl: Duration::from_secs(5),
        ttl_while_leased: Duration::from_secs(60),
        refresh_ahead: Duration::ZERO,
    };
}

impl<S: UserStore> CachedStore<S> {
    /// Keeps the answers of a store with the defaults: 5 seconds, 10,000 answers.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::with(store, Terms::DEFAULT, MAX_ENTRIES, Arc::new(SystemClock))
    }

    /// Starts configuring a cache around a store.
    pub fn builder(store: S) -> CachedStoreBuilder<S> {
        CachedStoreBuilder::new(store)
    }

    pub(super) fn with(store: S, terms: Terms, max_entries: usize, clock: Arc<dyn Clock>) -> Self {
        let revocations = Arc::new(Revocations::new(Arc::clone(&clock), max_entries));
        Self {
            inner: Arc::new(Inner {
                store,
                answers: Cache::with(
                    max_entries,
                    max_entries as u64,
                    UnitWeighter,
                    RandomState::new(),
                    DefaultLifecycle::default(),
                ),
                revocations,
                terms,
                clock,
            }),
        }
    }

    /// The handle by which the cache is told what has changed.
    #[must_use]
    pub fn invalidator(&self) -> CacheInvalidator {
        CacheInvalidator::new(Arc::clone(&self.inner.revocations))
    }
}

impl<S: UserStore> UserStore for CachedStore<S> {
    async fn resolve(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        // Somebody else may have asked while this lookup waited for its turn.
        match self.try_resolve(&lookup) {
            Some(resolution) => Ok(resolution),
            None => self.inner.ask(lookup).await,
        }
    }

    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        let now = self.inner.clock.monotonic();
        let (answer, left) = self.inner.find(lookup, now)?;
        if left <= self.inner.terms.refresh_ahead && answer.begin_refresh() {
            self.refresh(lookup);
        }
        Some(answer.resolution.clone())
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.inner.store.supports(kind)
    }

    fn ready(&self) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.inner.store.ready()
    }

    fn diagnose(&self) -> impl Future<Output = Vec<Check>> + Send {
        self.inner.store.diagnose()
    }

    fn server_time(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send {
        self.inner.store.server_time()
    }
}

impl<S: UserStore> CachedStore<S> {
    /// The store behind the cache.
    pub(crate) fn inner(&self) -> &S {
        &self.inner.store
    }

    /// Asks again in the background. If that fails, the answer goes on until it is too old.
    fn refresh(&self, lookup: &Lookup<'_>) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (inner, lookup) = (Arc::clone(&self.inner), lookup.clone().into_owned());
        runtime.spawn(async move {
            // Later than that the answer in use is gone anyway.
            let limit = inner.terms.refresh_ahead;
            let _ = tokio::time::timeout(limit, inner.ask(lookup)).await;
        });
    }
}

impl<S: UserStore> Inner<S> {
    /// An answer that is still good, and for how long.
    fn find(&self, lookup: &Lookup<'_>, now: Duration) -> Option<(Arc<Answer>, Duration)> {
        let announcements = self.revocations.announcements(now);
        if announcements == Announcements::Lapsed {
            return None;
        }
        let answer = self.answers.get(&QuestionRef::of(lookup))?;
        let ttl = match announcements {
            Announcements::Promised if !answer.is_api_key() => self.terms.ttl_while_leased,
            _ => self.terms.ttl,
        };
        let left = ttl
            .checked_sub(answer.age_at(now))
            .filter(|left| !left.is_zero())?;
        let is_good = answer.is_unchanged(&self.revocations) && answer.is_active_at(lookup.now());
        is_good.then_some((answer, left))
    }

    /// Asks the store, and keeps the answer.
    async fn ask(&self, lookup: Lookup<'_>) -> Result<Resolution, StoreError> {
        let asked = Asked {
            at: self.clock.monotonic(),
            generation: self.revocations.generation(),
        };
        let resolution = self.store.resolve(lookup.clone()).await?;
        let question = QuestionRef::of(&lookup);
        match Answer::to(&lookup, &resolution, asked, &self.revocations) {
            Some(answer) => {
                self.answers.insert(question.to_owned(), Arc::new(answer));
            }
            // What is known by now to be otherwise is not given again.
            None => {
                self.answers.remove(&question);
            }
        }
        Ok(resolution)
    }
}

impl Equivalent<Question> for QuestionRef<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        self.is(question)
    }
}

impl<S> Clone for CachedStore<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<S> fmt::Debug for CachedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedStore")
            .field("terms", &self.inner.terms)
            .field("entries", &self.inner.answers.len())
            .finish_non_exhaustive()
    }
}
