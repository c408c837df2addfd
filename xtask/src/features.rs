//! `cargo xtask features`: every feature of the library has to stand by itself.

use std::fs;

use crate::{cargo, run as run_command, workspace};

const PACKAGE: &str = "better-auth-layer";

/// Builds and lints the library without features, then with each one alone; stops at the first failure.
pub(crate) fn run() -> Result<u8, String> {
    let manifest = workspace().join("crates").join(PACKAGE).join("Cargo.toml");
    let text = fs::read_to_string(&manifest)
        .map_err(|error| format!("cannot read {}: {error}", manifest.display()))?;
    let names = features(&text);
    for feature in [None].into_iter().chain(names.iter().map(Some)) {
        let title = feature.map_or_else(
            || "no feature".to_owned(),
            |name| format!("feature `{name}`"),
        );
        for (verb, after) in [
            ("build", &[][..]),
            ("clippy", &["--", "-D", "warnings"][..]),
        ] {
            println!("{title}: cargo {verb}");
            let mut command = cargo();
            command.current_dir(workspace()).args([
                verb,
                "--quiet",
                "-p",
                PACKAGE,
                "--lib",
                "--no-default-features",
            ]);
            if let Some(name) = feature {
                command.args(["--features", name]);
            }
            let code = run_command(command.args(after))?;
            if code != 0 {
                eprintln!("error: {PACKAGE} does not pass `cargo {verb}` with {title}");
                return Ok(code);
            }
        }
    }
    println!(
        "{PACKAGE}: no feature and each of {} alone: passed",
        names.len()
    );
    Ok(0)
}

/// The names in `[features]` but `default`. Reads as much TOML as a manifest of ours has: one `name = [...]` after
/// the other, arrays over several lines, comments.
fn features(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for line in manifest
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .skip_while(|line| *line != "[features]")
        .skip(1)
    {
        if depth == 0 {
            if line.starts_with('[') {
                break;
            }
            if let Some((name, _)) = line.split_once('=') {
                names.push(name.trim().trim_matches('"').to_owned());
            }
        }
        depth = (depth + line.matches('[').count()).saturating_sub(line.matches(']').count());
    }
    names.retain(|name| name != "default");
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_values_are_not() {
        let manifest = r#"
[package]
name = "x"
[features]
default = []
# All = of them.
full = ["one", "two"]
one = [] # the first
two = [
    "dep:a",
    "b/c",
]
[dependencies]
a = { version = "1", optional = true }
"#;
        assert_eq!(features(manifest), ["full", "one", "two"]);
        assert!(features("[package]\nname = \"x\"\n").is_empty());
    }
}
