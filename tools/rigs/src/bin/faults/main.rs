//! Faults under a real server: the responses while something is broken, and the state after its
//! repair.
//!
//! Started by `cargo xtask faults`, with the server's path in `CHATKIT_SERVER`. Exit code
//! 0: every expectation holds.

mod catalogue;
mod check;
mod database;
mod exhaustion;
mod keys;
mod options;
mod report;
mod rig;

use std::env;
use std::process::ExitCode;

use self::check::Check;
use self::options::Options;

/// The exit code if the rig cannot start.
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
    for &(table, fault) in &options.faults {
        eprintln!("==> {}", fault.name);
        // A panic is a result as well, and the other faults still run.
        let check = tokio::spawn((fault.run)(options.scale)).await;
        let check = check.unwrap_or_else(|error| Check::broken(&error.to_string()));
        check.print();
        if !check.is_good() {
            broken.push(fault.name);
        } else if options.write
            && let Err(error) = report::write(table, fault, &check)
        {
            eprintln!("error: {error}");
            return ExitCode::from(UNUSABLE);
        }
    }
    let all = options.faults.len();
    println!("faults: {} of {all} as expected", all - broken.len());
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("not as expected: {}", broken.join(", "));
        ExitCode::FAILURE
    }
}
