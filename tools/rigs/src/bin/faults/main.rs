//! Faults under a real server: what its clients see while something breaks, and what is left when it is whole again.
//!
//! Started by `cargo xtask faults`, which says in `CHATKIT_SERVER` where the server is. Exit code 0: every expectation held.

mod catalogue;
mod database;
mod exhaustion;
mod finding;
mod keys;
mod options;
mod report;
mod rig;

use std::env;
use std::process::ExitCode;

use self::finding::Check;
use self::options::Options;

/// The exit code for a rig that could not begin.
const UNUSABLE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(UNUSABLE);
        }
    };
    let mut broken = Vec::new();
    for &(table, ordeal) in &options.ordeals {
        eprintln!("==> {}", ordeal.name);
        // A rig that panics has found something too, and the others go on.
        let finding = tokio::spawn((ordeal.run)(options.scale)).await;
        let finding = finding.unwrap_or_else(|error| Check::broken(&error.to_string()));
        finding.print();
        if !finding.is_good() {
            broken.push(ordeal.name);
        } else if options.write
            && let Err(error) = report::write(table, ordeal, &finding)
        {
            eprintln!("error: {error}");
            return ExitCode::from(UNUSABLE);
        }
    }
    let all = options.ordeals.len();
    println!("faults: {} of {all} as expected", all - broken.len());
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("not as expected: {}", broken.join(", "));
        ExitCode::FAILURE
    }
}
