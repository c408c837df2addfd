//! `cargo xtask supply`: what the library is made of, and whether others can build it.

mod licences;
mod minimal;
mod msrv;
mod offline;
mod package;
mod sbom;
mod semver;

use std::process::{Command, Stdio};

use crate::cargo;

/// What is published.
const PACKAGE: &str = "better-auth-layer";

type Check = fn() -> Result<Outcome, String>;

/// In order of what they cost.
const CHECKS: [(&str, Check); 6] = [
    ("dependencies", licences::run),
    ("sbom", sbom::run),
    ("package", package::run),
    ("offline", offline::run),
    ("msrv", msrv::run),
    ("minimal", minimal::run),
];

/// How a check ended that could be made.
enum Outcome {
    Passed,
    Failed(u8),
    /// In part, with what is missing.
    NotChecked(String),
}

impl From<u8> for Outcome {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Passed,
            code => Self::Failed(code),
        }
    }
}

/// Runs every check, or the one that is named; `semver` only by its name, as it needs something to compare with.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    match arguments {
        [] => all(),
        [name, rest @ ..] if name == "semver" => semver::run(rest),
        [name] => {
            let check = CHECKS.iter().find(|(known, _)| known == name);
            let (name, check) = check.ok_or_else(|| {
                let names = CHECKS.map(|(name, _)| name).join(", ");
                format!("there is no check `{name}`, but {names} and semver")
            })?;
            report(&[(name, check()?)])
        }
        _ => Err("usage: cargo xtask supply [check]".to_owned()),
    }
}

/// Goes on after a failure: who mends one wants to know of the others.
fn all() -> Result<u8, String> {
    let mut outcomes = Vec::new();
    let mut lacking = Vec::new();
    for (name, check) in CHECKS {
        println!("\n==> {name}");
        match check() {
            Ok(outcome) => outcomes.push((name, outcome)),
            Err(reason) => {
                eprintln!("error: {reason}");
                lacking.push(name);
            }
        }
    }
    println!();
    let code = report(&outcomes)?;
    if lacking.is_empty() {
        return Ok(code);
    }
    Err(format!(
        "{} could not begin; why stands above",
        lacking.join(", ")
    ))
}

fn report(outcomes: &[(&str, Outcome)]) -> Result<u8, String> {
    let mut worst = 0;
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed => println!("{name}: passed"),
            Outcome::Failed(code) => {
                println!("{name}: FAILED");
                worst = worst.max(*code);
            }
            Outcome::NotChecked(what) => {
                println!("{name}: NOT CHECKED: {what}");
                worst = worst.max(1);
            }
        }
    }
    Ok(worst)
}

/// Says what to install where one of cargo's own subcommands is not there.
fn need(subcommand: &str) -> Result<(), String> {
    let answer = cargo()
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match answer {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!(
            "cargo-{subcommand} is not there: cargo install --locked cargo-{subcommand}"
        )),
    }
}

/// Runs a command to its end and takes its exit code for the outcome.
fn outcome(command: &mut Command) -> Result<Outcome, String> {
    crate::run(command).map(Outcome::from)
}
