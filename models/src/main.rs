//! Runs the library's single flight, key cache and batcher under a scheduler that explores many
//! thread interleavings: `cargo xtask models`.

mod clock;
mod diagnostics;
mod jwks;
mod key_refresh;
mod postgres;
mod runtime;
mod sightings;
mod single_flight;
mod store;
mod sync;
mod telemetry;

use std::process::ExitCode;
use std::time::Instant;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

struct Model {
    name: &'static str,
    run: fn(),
    /// Events that must occur at least once.
    must_see: &'static [&'static str],
}

const MODELS: [Model; 5] = [
    Model {
        name: "single_flight",
        run: single_flight::requests_wait_or_are_dropped,
        must_see: single_flight::REQUESTS,
    },
    Model {
        name: "single_flight_stalled",
        run: single_flight::stalled_leader_is_replaced,
        must_see: single_flight::STALLED,
    },
    Model {
        name: "batcher",
        run: postgres::model::callers_come_and_leave,
        must_see: postgres::model::COMING_AND_LEAVING,
    },
    Model {
        name: "batcher_line",
        run: postgres::model::more_come_than_may_wait,
        must_see: postgres::model::LINE,
    },
    Model {
        name: "key_refresh",
        run: key_refresh::readers_wait_or_are_dropped,
        must_see: key_refresh::MUST_SEE,
    },
];

/// Number of interleavings of each model that each scheduler explores.
const ORDERS: usize = 20_000;

/// Maximum number of preemptions in an interleaving of the second scheduler.
const PREEMPTIONS: usize = 4;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, orders) = match &*arguments {
        [] => (None, ORDERS),
        [one] => match one.parse() {
            Ok(orders) => (None, orders),
            Err(_) => (Some(&**one), ORDERS),
        },
        [name, orders] => match orders.parse() {
            Ok(orders) => (Some(&**name), orders),
            Err(_) => return usage(),
        },
        _ => return usage(),
    };
    let chosen: Vec<_> = MODELS
        .iter()
        .filter(|model| name.is_none_or(|name| name == model.name))
        .collect();
    if chosen.is_empty() {
        return usage();
    }
    let mut all_seen = true;
    for model in chosen {
        all_seen &= explore(model, orders);
    }
    if all_seen {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
    eprintln!(
        "usage: models [MODEL] [INTERLEAVINGS]; models: {}",
        names.join(", ")
    );
    ExitCode::from(2)
}

/// Panics in an interleaving that violates the model, and prints the schedule to repeat it.
fn explore(model: &Model, orders: usize) -> bool {
    let begun = Instant::now();
    run(RandomScheduler::new(orders), model);
    run(PctScheduler::new(PREEMPTIONS, orders), model);
    let seen = sightings::take();
    let counts: Vec<_> = seen
        .iter()
        .map(|(event, count)| format!("{event} {count}"))
        .collect();
    println!(
        "{}: {} interleavings in {:.1} s; {}",
        model.name,
        2 * orders,
        begun.elapsed().as_secs_f64(),
        counts.join(", ")
    );
    let missing: Vec<_> = model
        .must_see
        .iter()
        .filter(|event| !seen.contains_key(**event))
        .collect();
    for event in &missing {
        eprintln!("{}: did not occur: {event}", model.name);
    }
    missing.is_empty()
}

fn run(scheduler: impl Scheduler + 'static, model: &Model) {
    let mut config = Config::new();
    // A model that takes more steps is in a livelock.
    config.max_steps = MaxSteps::FailAfter(50_000);
    let run = model.run;
    Runner::new(scheduler, config).run(move || {
        sync::reset_time();
        run();
    });
}
