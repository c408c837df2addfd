//! `cargo xtask mutants`: breaks the library in every small way that there is, and asks whether a test notices.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{cargo, postgres, workspace};

/// The modules that decide who comes in, the most dangerous first, and the tests that are about each, beside those in
/// the library itself. Every test is linked anew for every mutant, so these are as few as find all that is found.
const MODULES: [(&str, &[&str]); 5] = [
    (
        "verify",
        &["contract", "keys", "recorded_sessions", "sessions"],
    ),
    (
        "authenticator",
        &["behind", "redaction", "sessions", "signatures", "test_kit"],
    ),
    ("credential", &["behind", "sessions", "signatures"]),
    ("csrf", &[]),
    ("cache", &["cache", "invalidation"]),
];

/// Where it is said of each mutant that no test can notice why that is so.
const EXPLAINED: &str = "docs/mutants.md";

const SOURCES: &str = "crates/better-auth-layer/src/";

/// The tests take a few. A test that is slow because the machine is busy has noticed nothing.
const SECONDS: u32 = 120;

/// What cargo-mutants says when some mutants were not caught, and when some never ended.
const SURVIVORS: [u8; 2] = [2, 3];

/// Mutants, by their text without line and column, and how many there are of each.
type Mutants = BTreeMap<String, usize>;

/// Tries the mutants of every module, or of some. 1: one has survived of which nothing is said, or the other way round.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    let mut modules = Vec::new();
    for name in arguments {
        modules.push(module(name)?);
    }
    if modules.is_empty() {
        modules.extend(MODULES);
    }
    ensure_installed()?;
    // Some of the tests start a server.
    let server = postgres::ensure()?;
    let page = workspace().join(EXPLAINED);
    let explained = explained(&read(&page)?);
    let mut is_as_said = true;
    for (name, tests) in modules {
        eprintln!("==> {name}");
        let folder = workspace().join("target").join("mutants").join(name);
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let tests: Vec<String> = tests.iter().map(|test| format!("--test={test}")).collect();
        // What fails by itself notices nothing. cargo-mutants would look at the library's own tests alone.
        let code = crate::run(
            cargo()
                .args([
                    "test",
                    "--package=better-auth-layer",
                    "--package=tests",
                    "--lib",
                ])
                .args(&tests)
                .env("PG_BIN", &server)
                .current_dir(workspace()),
        )?;
        if code != 0 {
            eprintln!("{name}: the tests fail before anything is changed");
            return Ok(code);
        }
        let code = crate::run(
            cargo()
                .args(["mutants", "--no-shuffle", "--baseline=skip"])
                .arg(format!("--timeout={SECONDS}"))
                .arg(format!("--file={SOURCES}{name}/**"))
                .arg("--output")
                .arg(&folder)
                .arg("--cargo-arg=--lib")
                .args(tests.iter().map(|test| format!("--cargo-arg={test}")))
                .env("PG_BIN", &server)
                .current_dir(workspace()),
        )?;
        if code != 0 && !SURVIVORS.contains(&code) {
            return Ok(code);
        }
        let results = folder.join("mutants.out");
        let survived = read(&results.join("missed.txt"))? + &hanging(&results)?;
        let prefix = format!("{name}/");
        let said = explained
            .iter()
            .filter(|(mutant, _)| mutant.starts_with(&prefix))
            .map(|(mutant, times)| (mutant.clone(), *times))
            .collect();
        is_as_said &= compare(&survived_mutants(&survived), &said);
    }
    Ok(u8::from(!is_as_said))
}

fn module(name: &str) -> Result<(&'static str, &'static [&'static str]), String> {
    let names = MODULES.map(|(name, _)| name).join(", ");
    MODULES
        .into_iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("there are no mutants of `{name}`, but of {names}"))
}

fn ensure_installed() -> Result<(), String> {
    let is_there = cargo()
        .args(["mutants", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if is_there {
        Ok(())
    } else {
        Err("cargo-mutants is missing: cargo install --locked cargo-mutants".to_owned())
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Of the mutants that never ended, those that no test had noticed until then.
fn hanging(results: &Path) -> Result<String, String> {
    let mut logs = Vec::new();
    let folder = results.join("log");
    let files = fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    for file in files.flatten() {
        logs.push(read(&file.path())?);
    }
    let is_noticed = |mutant: &&str| {
        let title = format!("*** {mutant}\n");
        let mut of_mutant = logs.iter().filter(|log| log.contains(&title));
        of_mutant.any(|log| log.contains(" ... FAILED\n"))
    };
    let list = read(&results.join("timeout.txt"))?;
    let unnoticed = list.lines().filter(|mutant| !is_noticed(mutant));
    Ok(unnoticed.map(|mutant| format!("{mutant}\n")).collect())
}

/// The mutants that cargo-mutants lists: `path:line:column: what was done`.
fn survived_mutants(list: &str) -> Mutants {
    let mut mutants = Mutants::new();
    for line in list.lines() {
        let line = line.strip_prefix(SOURCES).unwrap_or(line);
        let mut parts = line.splitn(4, ':');
        if let (Some(file), Some(_), Some(_), Some(what)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        {
            *mutants.entry(format!("{file}:{what}")).or_default() += 1;
        }
    }
    mutants
}

/// The mutants of the page: a list of ``- `file: what was done` ``, and ` × 2` behind it where there are two of them.
fn explained(page: &str) -> Mutants {
    let mut mutants = Mutants::new();
    for line in page.lines() {
        let Some((mutant, rest)) = line
            .strip_prefix("- `")
            .and_then(|line| line.split_once('`'))
        else {
            continue;
        };
        let times = rest
            .strip_prefix(" × ")
            .and_then(|rest| rest.split(|digit: char| !digit.is_ascii_digit()).next())
            .and_then(|digits| digits.parse().ok());
        *mutants.entry(mutant.to_owned()).or_default() += times.unwrap_or(1);
    }
    mutants
}

/// Whether those survived of which the page says so, and no others. Prints the differences.
fn compare(survived: &Mutants, said: &Mutants) -> bool {
    let mut is_as_said = true;
    for mutant in survived
        .keys()
        .chain(said.keys().filter(|mutant| !survived.contains_key(*mutant)))
    {
        let times = |of: &Mutants| of.get(mutant).copied().unwrap_or(0);
        let (survived, said) = (times(survived), times(said));
        if survived != said {
            is_as_said = false;
            eprintln!("{mutant}: survived {survived} times, {EXPLAINED} says {said}");
        }
    }
    is_as_said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[(&str, usize)]) -> Mutants {
        let owned = texts
            .iter()
            .map(|(text, times)| ((*text).to_owned(), *times));
        owned.collect()
    }

    #[test]
    fn mutants_are_told_apart_by_what_was_done_and_not_by_their_lines() {
        let survived = survived_mutants(
            "crates/better-auth-layer/src/csrf/mod.rs:1:2: replace Token::next -> u8 with 0 in a::b\n\
             crates/better-auth-layer/src/csrf/mod.rs:7:9: replace | with ^ in c\n\
             crates/better-auth-layer/src/csrf/mod.rs:8:9: replace | with ^ in c\n",
        );
        let page = "# Title\n- `csrf/mod.rs: replace | with ^ in c` × 2: as they are `disjoint`\n\
             - `csrf/mod.rs: replace Token::next -> u8 with 0 in a::b`\n  for a reason\n- other\n";
        let expected = [
            ("csrf/mod.rs: replace Token::next -> u8 with 0 in a::b", 1),
            ("csrf/mod.rs: replace | with ^ in c", 2),
        ];
        assert_eq!(survived, list(&expected));
        assert_eq!(explained(page), survived);
    }

    #[test]
    fn a_survivor_without_an_explanation_and_the_other_way_round_are_failures() {
        let one = list(&[("a.rs: x", 1)]);
        assert!(compare(&one, &one));
        assert!(!compare(&one, &Mutants::new()));
        assert!(!compare(&Mutants::new(), &one));
        assert!(!compare(&one, &list(&[("a.rs: x", 2)])));
    }
}
