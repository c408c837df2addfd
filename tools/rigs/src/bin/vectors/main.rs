//! Compares the layer's results with public JWS and JWK vectors: `vectors DIR`, where DIR has
//! Project Wycheproof's `json_web_*` files and `jws_library_level.jsonl`.
//!
//! The payload of a vector is no claims set, so no vector is accepted. A valid signature is
//! rejected for its claims, and an invalid one before the claims are read.

mod explanation;
mod vector;
mod verdict;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use self::explanation::explain;
use self::vector::{FILES, read};
use self::verdict::{Verdict, judge};

/// The results of a group of vectors.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    explained: usize,
    not_applicable: usize,
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: vectors DIR, the folder with {}", FILES.join(", "));
        return ExitCode::from(2);
    };
    let vectors = match read(Path::new(&folder)) {
        Ok(vectors) => vectors,
        Err(error) => {
            eprintln!("{error}; give the folder that has {}", FILES.join(", "));
            return ExitCode::from(2);
        }
    };
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut differing = Vec::new();
    for vector in &vectors {
        let group = (vector.file.clone(), vector.group.clone());
        let tally = tallies.entry(group).or_default();
        let verdict = judge(vector);
        match (&verdict, vector.is_valid) {
            (Verdict::NotApplicable(reason), _) => {
                tally.not_applicable += 1;
                *reasons.entry(reason).or_default() += 1;
            }
            (Verdict::Accepted, true) => tally.accepted += 1,
            (Verdict::Refused(_), false) => tally.refused += 1,
            _ => match explain(vector, &verdict) {
                Some(reason) => {
                    tally.explained += 1;
                    *reasons.entry(reason).or_default() += 1;
                }
                None => differing.push(format!("{vector}: verdict {verdict}")),
            },
        }
    }
    print(&tallies, &reasons);
    for difference in &differing {
        eprintln!("differs: {difference}");
    }
    let as_expected: usize = tallies
        .values()
        .map(|tally| tally.accepted + tally.refused)
        .sum();
    println!(
        "vectors: {} in all, {as_expected} as expected, {} otherwise",
        vectors.len(),
        differing.len()
    );
    if differing.is_empty() && as_expected > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print(tallies: &BTreeMap<(String, String), Tally>, reasons: &BTreeMap<&'static str, usize>) {
    println!(
        "{:<20} {:<26} {:>8} {:>8} {:>9} {:>14}",
        "file", "group", "accepted", "refused", "explained", "not applicable"
    );
    for ((file, group), tally) in tallies {
        println!(
            "{file:<20} {group:<26} {:>8} {:>8} {:>9} {:>14}",
            tally.accepted, tally.refused, tally.explained, tally.not_applicable
        );
    }
    println!();
    for (reason, count) in reasons {
        println!("{count:>4} {reason}");
    }
    println!();
}
