//! Measures a store without a server: `store CALLERS MILLISECONDS USERS [LIMIT…]`.
//!
//! The limits are batch connections and batches in flight for PostgreSQL, and connections for
//! SQLite. Prints as JSON: lookups per second, the 50th and 99th percentile in microseconds, and the
//! CPU time per lookup in this process.

use std::cell::RefCell;
use std::env;
use std::rc::Rc;
use std::time::{Duration, Instant};

use better_auth_layer::clock::{Clock, SystemClock};
use better_auth_layer::postgres::PostgresStore;
use better_auth_layer::sqlite::SqliteStore;
use better_auth_layer::{Lookup, Resolution, UserStore};
use hdrhistogram::Histogram;
use serving::BoxError;
use tokio::task::LocalSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let numbers: Vec<u64> = env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let [callers, milliseconds, users, ref limits @ ..] = numbers[..] else {
        return Err("usage: store CALLERS MILLISECONDS USERS [LIMIT…]".into());
    };
    let time = Duration::from_millis(milliseconds);
    let url = env::var("DATABASE_URL")?;
    if let Some(path) = url.strip_prefix("sqlite:") {
        let builder = SqliteStore::builder(path);
        let builder = match *limits {
            [] => builder,
            [connections] => builder.max_connections(connections as usize),
            _ => return Err("the only limit for SQLite is the number of connections".into()),
        };
        return report(builder.open()?, callers, time, users).await;
    }
    let builder = PostgresStore::builder(&url);
    let builder = match *limits {
        [] => builder,
        [lanes, in_flight] => builder
            .batch_connections(lanes as usize)
            .max_in_flight(in_flight as usize),
        _ => {
            return Err(
                "the limits for PostgreSQL are batch connections and batches in flight".into(),
            );
        }
    };
    report(builder.connect().await?, callers, time, users).await
}

async fn report(
    store: impl UserStore,
    callers: u64,
    time: Duration,
    users: u64,
) -> Result<(), BoxError> {
    let store = Rc::new(store);
    // Open connections and prepare statements before the measurement.
    measure(&store, callers, Duration::from_millis(300), users).await?;
    let began = processor_time()?;
    let latencies = measure(&store, callers, time, users).await?;
    let busy = processor_time()? - began;
    let result = serde_json::json!({
        "processor": busy.as_secs_f64() * 1e6 / latencies.len() as f64,
        "per_second": latencies.len() as f64 / time.as_secs_f64(),
        "p50": latencies.value_at_quantile(0.5) as f64 / 1e3,
        "p99": latencies.value_at_quantile(0.99) as f64 / 1e3,
    });
    println!("{result}");
    Ok(())
}

/// The CPU time of all threads of this process.
fn processor_time() -> Result<Duration, BoxError> {
    let mut nanoseconds = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let path = task?.path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let field = text
            .split_whitespace()
            .next()
            .and_then(|field| field.parse::<u64>().ok());
        nanoseconds += field.unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanoseconds))
}

async fn measure(
    store: &Rc<impl UserStore>,
    callers: u64,
    time: Duration,
    users: u64,
) -> Result<Histogram<u64>, BoxError> {
    let latencies = Rc::new(RefCell::new(Histogram::<u64>::new_with_max(
        60_000_000_000,
        3,
    )?));
    let tasks = LocalSet::new();
    let end = Instant::now() + time;
    for caller in 0..callers {
        let (store, latencies) = (Rc::clone(store), Rc::clone(&latencies));
        tasks.spawn_local(async move {
            let mut random = caller.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            while Instant::now() < end {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let address = format!("user{}@example.com", random % users + 1);
                let asked = Instant::now();
                let answer = store
                    .resolve(Lookup::by_email(address, SystemClock.now()))
                    .await;
                let took = asked.elapsed().as_nanos() as u64;
                assert!(
                    matches!(answer, Ok(Resolution::Found { .. })),
                    "the store did not find an existing user: {answer:?}"
                );
                latencies.borrow_mut().saturating_record(took);
            }
        });
    }
    tasks.await;
    Ok(Rc::try_unwrap(latencies)
        .map_err(|_| "a caller is left")?
        .into_inner())
}
