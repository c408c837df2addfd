//! Single flight: identical concurrent lookups share one query.
//!
//! A result must not be older than the request that receives it: a sign-out that completed before a
//! request arrived must be visible to that request. A request therefore never joins a lookup that
//! has already been sent. It becomes a follower, and all followers share the next lookup. For each
//! key, at most one lookup is in flight and at most one is pending.
//!
//! There is no background task: the leader runs the lookup in its own future. If the leader is
//! dropped or panics, one of the followers runs the next lookup. The entry is removed with the last
//! request, so the maps never contain more keys than there are requests.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::flight_key::{FlightKey, FlightKeyRef};
use super::user_store::{BoxFuture, DynUserStore};
use super::{Lookup, LookupKind, Resolution, StoreError, StoreErrorKind};
use crate::clock::Timestamp;
use crate::diagnostics::Check;
use crate::sync::{Instant, Mutex, MutexGuard, OnceLock, Semaphore, lock};

/// Number of independently locked maps. Requests for different keys rarely contend for a lock.
const SHARDS: usize = 16;

/// A store that runs identical concurrent lookups of another store once.
pub(crate) struct SingleFlight {
    store: Arc<dyn DynUserStore>,
    /// A leader that is older than this has timed out or is no longer polled.
    lookup_timeout: Duration,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    flights: HashMap<Arc<FlightKey>, Flight>,
    /// Number of leaders so far.
    leaders: u64,
}

/// The lookup in flight for a key, and the pending one.
struct Flight {
    /// Number of the current leader.
    leader: u64,
    since: Instant,
    next: Option<Pending>,
}

/// The next lookup of a key.
struct Pending {
    followers: Arc<Followers>,
    /// The latest time in the followers' lookups.
    now: Timestamp,
}

/// The exclusive right to run the lookup of a key. On drop, the followers get it.
struct Leader {
    single_flight: Arc<SingleFlight>,
    key: Arc<FlightKey>,
    number: u64,
}

/// Requests that share one lookup. Once they have the lead, they keep it until there is a result or
/// the last of them is dropped.
struct Followers {
    /// Gets its only permit together with the lead. The follower that acquires the permit runs the
    /// lookup; if that follower is dropped, the permit returns and another one acquires it. Closed
    /// when there is a result.
    permit: Semaphore,
    leader: Mutex<Option<Leader>>,
    now: OnceLock<Timestamp>,
    result: OnceLock<Result<Resolution, StoreError>>,
}

enum Role {
    Leader(Leader),
    Follower(Arc<Followers>),
}

impl SingleFlight {
    /// `lookup_timeout` is the timeout after which callers drop a lookup.
    pub(crate) fn around(
        store: Arc<dyn DynUserStore>,
        lookup_timeout: Duration,
    ) -> Arc<dyn DynUserStore> {
        Arc::new(Self {
            store,
            lookup_timeout,
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        })
    }

    async fn run(self: Arc<Self>, lookup: Lookup<'static>) -> Result<Resolution, StoreError> {
        let store = Arc::clone(&self.store);
        match self.join(&lookup) {
            Role::Leader(leader) => {
                let result = store.resolve(lookup).await;
                drop(leader);
                result
            }
            Role::Follower(followers) => followers.run(store, lookup).await,
        }
    }

    fn join(self: Arc<Self>, lookup: &Lookup<'static>) -> Role {
        let key = Arc::new(FlightKeyRef::of(lookup).to_owned());
        let mut shard = self.shard(&key);
        shard.leaders += 1;
        let (number, now) = (shard.leaders, Instant::now());
        match shard.flights.entry(Arc::clone(&key)) {
            Entry::Vacant(entry) => {
                entry.insert(Flight {
                    leader: number,
                    since: now,
                    next: None,
                });
            }
            Entry::Occupied(mut entry) => {
                let flight = entry.get_mut();
                if now.saturating_duration_since(flight.since) < self.lookup_timeout {
                    return Role::Follower(flight.follow(lookup.now()));
                }
                // The leader is no longer polled and may never finish, so this request replaces it.
                // The existing followers get the lead from this request.
                flight.leader = number;
                flight.since = now;
            }
        }
        drop(shard);
        Role::Leader(Leader {
            single_flight: self,
            key,
            number,
        })
    }

    fn shard(&self, key: &FlightKey) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        // `rest` has one element less than there are shards: the highest index selects `last`.
        let [rest @ .., last] = &self.shards;
        lock(rest.get(index).unwrap_or(last))
    }
}

impl DynUserStore for SingleFlight {
    fn resolve(
        self: Arc<Self>,
        lookup: Lookup<'static>,
    ) -> BoxFuture<Result<Resolution, StoreError>> {
        Box::pin(self.run(lookup))
    }

    fn try_resolve(&self, lookup: &Lookup<'_>) -> Option<Resolution> {
        self.store.try_resolve(lookup)
    }

    fn supports(&self, kind: LookupKind) -> bool {
        self.store.supports(kind)
    }

    fn ready(self: Arc<Self>) -> BoxFuture<Result<(), StoreError>> {
        Arc::clone(&self.store).ready()
    }

    fn diagnose(self: Arc<Self>) -> BoxFuture<Result<Vec<Check>, StoreError>> {
        Arc::clone(&self.store).diagnose()
    }

    fn server_time(self: Arc<Self>) -> BoxFuture<Result<Option<Timestamp>, StoreError>> {
        Arc::clone(&self.store).server_time()
    }
}

impl Flight {
    fn follow(&mut self, now: Timestamp) -> Arc<Followers> {
        let pending = self.next.get_or_insert_with(|| Pending {
            followers: Arc::new(Followers::new()),
            now,
        });
        pending.now = pending.now.max(now);
        Arc::clone(&pending.followers)
    }
}

impl Followers {
    fn new() -> Self {
        Self {
            permit: Semaphore::new(0),
            leader: Mutex::default(),
            now: OnceLock::new(),
            result: OnceLock::new(),
        }
    }

    fn lead(&self, leader: Leader, now: Timestamp) {
        let _ = self.now.set(now);
        *lock(&self.leader) = Some(leader);
        self.permit.add_permits(1);
    }

    async fn run(
        &self,
        store: Arc<dyn DynUserStore>,
        lookup: Lookup<'static>,
    ) -> Result<Resolution, StoreError> {
        let Ok(_permit) = self.permit.acquire().await else {
            let result = self.result.get().map(share);
            return result.unwrap_or(Err(StoreErrorKind::Unavailable.into()));
        };
        let now = self.now.get().copied().unwrap_or(lookup.now());
        let result = store.resolve(lookup.at(now)).await;
        let _ = self.result.set(share(&result));
        self.permit.close();
        let leader = lock(&self.leader).take();
        drop(leader);
        result
    }
}

fn share(result: &Result<Resolution, StoreError>) -> Result<Resolution, StoreError> {
    result.as_ref().map_err(StoreError::share).cloned()
}

impl Drop for Leader {
    fn drop(&mut self) {
        let Some(Pending { followers, now }) = self.next() else {
            return;
        };
        // If all followers are gone, `followers` is dropped here together with the new leader,
        // which in turn gives the lead to later followers or removes the entry.
        followers.lead(
            Self {
                single_flight: Arc::clone(&self.single_flight),
                key: Arc::clone(&self.key),
                number: self.number,
            },
            now,
        );
    }
}

impl Leader {
    /// Takes the pending lookup out of the entry. Later requests follow that lookup.
    fn next(&self) -> Option<Pending> {
        let mut shard = self.single_flight.shard(&self.key);
        let flight = shard.flights.get_mut(&self.key)?;
        if flight.leader != self.number {
            // Another request replaced this leader.
            return None;
        }
        let next = flight.next.take();
        match &next {
            Some(_) => flight.since = Instant::now(),
            None => {
                shard.flights.remove(&self.key);
            }
        }
        next
    }
}
