//! The store by itself: as many callers as the first argument says look users up for as many milliseconds as the second
//! one says, among as many users as the third one says; over as many lanes, with as many queries in flight on each, as
//! the fourth and the fifth one say, if there are any. Prints lookups per second and their 50th and 99th percentile in
//! microseconds as JSON.

use std::cell::RefCell;
use std::env;
use std::rc::Rc;
use std::time::{Duration, Instant};

use better_auth_layer::{Clock, Lookup, PostgresStore, Resolution, SystemClock, UserStore};
use hdrhistogram::Histogram;
use serving::BoxError;
use tokio::task::LocalSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let numbers: Vec<u64> = env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let builder = PostgresStore::builder(&env::var("DATABASE_URL")?);
    let (callers, milliseconds, users, builder) = match numbers[..] {
        [callers, milliseconds, users] => (callers, milliseconds, users, builder),
        [callers, milliseconds, users, lanes, in_flight] => {
            let builder = builder.lanes(lanes as usize).in_flight(in_flight as usize);
            (callers, milliseconds, users, builder)
        }
        _ => return Err("usage: store CALLERS MILLISECONDS USERS [LANES IN_FLIGHT]".into()),
    };
    let store = Rc::new(builder.connect().await?);
    // Connections are opened and statements prepared before the time is taken.
    measure(&store, callers, Duration::from_millis(300), users).await?;
    let time = Duration::from_millis(milliseconds);
    let latencies = measure(&store, callers, time, users).await?;
    let result = serde_json::json!({
        "per_second": latencies.len() as f64 / time.as_secs_f64(),
        "p50": latencies.value_at_quantile(0.5) as f64 / 1e3,
        "p99": latencies.value_at_quantile(0.99) as f64 / 1e3,
    });
    println!("{result}");
    Ok(())
}

async fn measure(
    store: &Rc<PostgresStore>,
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
                    "the store did not find a user who is there: {answer:?}"
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
