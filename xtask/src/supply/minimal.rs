//! The lower bounds of the dependencies: the library builds with the oldest versions that its manifest allows.

use std::fs;
use std::path::Path;

use super::{Outcome, PACKAGE, outcome};
use crate::{cargo, workspace};

/// Resolves and checks a copy of the library below `target/minimal/`, so that neither the lock file nor the other
/// members of the workspace have a say.
pub(super) fn run() -> Result<Outcome, String> {
    let place = workspace().join("target/minimal");
    lay_out(&place).map_err(|error| format!("cannot write {}: {error}", place.display()))?;
    let resolved = outcome(
        cargo()
            .current_dir(&place)
            // The flag is of the nightly compiler's cargo; the stable one has it, too, and its resolver is no other.
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["update", "--quiet", "-Z", "direct-minimal-versions"]),
    )?;
    if !matches!(resolved, Outcome::Passed) {
        return Ok(resolved);
    }
    outcome(cargo().current_dir(&place).args([
        "check",
        "-p",
        PACKAGE,
        "--all-features",
        "--locked",
    ]))
}

fn lay_out(place: &Path) -> std::io::Result<()> {
    let member = place.join("crates").join(PACKAGE);
    let own = workspace().join("crates").join(PACKAGE);
    let sources = member.join("src");
    if sources.exists() {
        fs::remove_dir_all(&sources)?;
    }
    copy(&own.join("src"), &sources)?;
    let _ = fs::remove_file(place.join("Cargo.lock"));
    let root = fs::read_to_string(workspace().join("Cargo.toml"))?;
    fs::write(place.join("Cargo.toml"), alone(&root))?;
    let manifest = fs::read_to_string(own.join("Cargo.toml"))?;
    fs::write(member.join("Cargo.toml"), without_tests(&manifest))
}

/// The manifest of a workspace in which there is only the library.
fn alone(manifest: &str) -> String {
    let lines = manifest.lines().map(|line| {
        if line.starts_with("members = ") {
            format!("members = [\"crates/{PACKAGE}\"]\n")
        } else if line.starts_with("exclude = ") {
            String::new()
        } else {
            format!("{line}\n")
        }
    });
    lines.collect()
}

/// A manifest without what only the tests need, which would ask for newer versions on the library's behalf.
fn without_tests(manifest: &str) -> String {
    let mut is_left_out = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_left_out = *line == "[dev-dependencies]";
        }
        !is_left_out && !line.starts_with("readme")
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_librarys_own_dependencies_are_left() {
        let root = "[workspace]\nmembers = [\"a\", \"b\"]\n# why\nexclude = [\"bench\"]\n";
        assert_eq!(
            alone(root),
            "[workspace]\nmembers = [\"crates/better-auth-layer\"]\n# why\n"
        );
        let manifest = "[package]\nreadme = \"x\"\n[dependencies]\na = \"1\"\n[dev-dependencies]\nb = \"2\"\n[lints]\nworkspace = true\n";
        assert_eq!(
            without_tests(manifest),
            "[package]\n[dependencies]\na = \"1\"\n[lints]\nworkspace = true\n"
        );
    }
}
