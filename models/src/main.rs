//! Runs the library's own single flight, key cache and batcher under a scheduler that tries many orders in which threads may
//! go on: `cargo xtask models`.

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
    /// What has to have happened at least once.
    must_see: &'static [&'static str],
}

const MODELS: [Model; 5] = [
    Model {
        name: "single_flight",
        run: single_flight::callers_come_and_leave,
        must_see: single_flight::COMING_AND_LEAVING,
    },
    Model {
        name: "single_flight_forgotten",
        run: single_flight::one_is_not_polled_any_more,
        must_see: single_flight::FORGOTTEN,
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

/// How many orders of each model are tried by each scheduler.
const ORDERS: usize = 20_000;

/// How many times one thread may be overtaken by another in an order of the second scheduler.
const OVERTAKINGS: usize = 4;

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
        "usage: models [MODEL] [ORDERS]; there are {}",
        names.join(", ")
    );
    ExitCode::from(2)
}

/// Panics in an order that breaks the model, with what is needed to repeat it.
fn explore(model: &Model, orders: usize) -> bool {
    let begun = Instant::now();
    run(RandomScheduler::new(orders), model);
    run(PctScheduler::new(OVERTAKINGS, orders), model);
    let seen = sightings::take();
    let told: Vec<_> = seen
        .iter()
        .map(|(what, times)| format!("{what} {times}"))
        .collect();
    println!(
        "{}: {} orders in {:.1} s; {}",
        model.name,
        2 * orders,
        begun.elapsed().as_secs_f64(),
        told.join(", ")
    );
    let missing: Vec<_> = model
        .must_see
        .iter()
        .filter(|what| !seen.contains_key(**what))
        .collect();
    for what in &missing {
        eprintln!("{}: never seen: {what}", model.name);
    }
    missing.is_empty()
}

fn run(scheduler: impl Scheduler + 'static, model: &Model) {
    let mut config = Config::new();
    // Whoever goes round in circles for so long waits for something that does not come.
    config.max_steps = MaxSteps::FailAfter(50_000);
    let run = model.run;
    Runner::new(scheduler, config).run(move || {
        sync::reset_time();
        run();
    });
}
