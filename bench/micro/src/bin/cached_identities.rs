//! Fills a cache with the given number of identities and prints the cost of each: retained bytes
//! and allocations, the bytes without a cache, and the time of a hit.

use std::alloc::System;
use std::env;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use better_auth_layer::cache::CachedStore;
use better_auth_layer::clock::{Clock, SystemClock, Timestamp};
use better_auth_layer::store::{LookupKey, store_fn};
use better_auth_layer::{Lookup, Resolution, Session, User, UserStore};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The minimum number of timed hits.
const HITS: usize = 2_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = env::args()
        .nth(1)
        .ok_or("usage: cached_identities COUNT")?
        .parse()?;
    let addresses: Vec<String> = (0..count)
        .map(|number| format!("user{number}@example.com"))
        .collect();
    let own = own_bytes(&addresses);
    let region = Region::new(ALLOCATOR);
    // The cache may evict before it is full, because its shards fill at different times.
    let cache = CachedStore::builder(store_fn(found))
        .max_entries(count + count / 4)
        .ttl(std::time::Duration::from_secs(300))
        .build()?;
    for address in &addresses {
        cache
            .resolve(Lookup::by_email(&**address, SystemClock.now()))
            .await?;
    }
    let change = region.change();
    let live = change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated);
    let allocations = change.allocations.saturating_sub(change.deallocations);

    let now = SystemClock.now();
    let passes = HITS.div_ceil(count);
    // A prime stride visits every entry in an order that hardware prefetchers do not predict.
    let step = 7_919;
    let (mut hits, mut at) = (0_usize, 0_usize);
    let start = Instant::now();
    for _ in 0..passes * count {
        at = (at + step) % count;
        let lookup = Lookup::by_email(&*addresses[at], now);
        hits += usize::from(black_box(cache.try_resolve(&lookup)).is_some());
    }
    let time = start.elapsed();
    println!(
        "{}",
        serde_json::json!({
            "count": count,
            "bytes": live as f64 / count as f64,
            "own_bytes": own as f64 / count as f64,
            "allocations": allocations as f64 / count as f64,
            "nanoseconds": time.as_nanos() as f64 / (passes * count) as f64,
            "hit_rate": hits as f64 / (passes * count) as f64,
        })
    );
    Ok(())
}

/// The memory of the identities without the cache.
fn own_bytes(addresses: &[String]) -> usize {
    let mut identities = Vec::with_capacity(addresses.len());
    let region = Region::new(ALLOCATOR);
    identities.extend(addresses.iter().map(|address| identity(address)));
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

async fn found(lookup: Lookup<'static>) -> Result<Resolution, better_auth_layer::StoreError> {
    Ok(match lookup.key() {
        LookupKey::Email(email) => identity(email.as_str()),
        _ => Resolution::UserNotFound,
    })
}

/// A user and a session with all of Better Auth's fields.
fn identity(address: &str) -> Resolution {
    let id = "AbCdEfGhIjKlMnOpQrStUvWxYz012345";
    let user = User::new(id, address)
        .with_email_verified(true)
        .with_name("Somebody With A Name")
        .with_role("user");
    let session = Session::new("ZyXwVuTsRqPoNmLkJiHgFeDcBa543210", id, Timestamp::MAX);
    Resolution::found(user, session)
}
