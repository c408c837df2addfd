//! What is published: the files, and that they build by themselves.

use super::{Outcome, PACKAGE, outcome};
use crate::{cargo, workspace};

pub(super) fn run() -> Result<Outcome, String> {
    let listing = cargo()
        .current_dir(workspace())
        .args(["package", "--list", "--allow-dirty", "-p", PACKAGE])
        .output()
        .map_err(|error| format!("cannot run cargo package: {error}"))?;
    let listing = String::from_utf8_lossy(&listing.stdout);
    let strangers: Vec<_> = listing.lines().filter(|file| !belongs(file)).collect();
    if !strangers.is_empty() || !listing.contains("LICENSE") {
        eprintln!("error: the package has what it should not, or lacks its licence: {strangers:?}");
        return Ok(Outcome::Failed(1));
    }
    outcome(cargo()
            .current_dir(workspace())
            // A listing that differs from the last commit is the committer's affair.
            .args(["publish", "--dry-run", "--locked", "--allow-dirty", "-p", PACKAGE]))
}

fn belongs(file: &str) -> bool {
    let of_cargo = [
        ".cargo_vcs_info.json",
        "Cargo.lock",
        "Cargo.toml",
        "Cargo.toml.orig",
    ];
    file.starts_with("src/") || of_cargo.contains(&file) || ["LICENSE", "README.md"].contains(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_what_cargo_adds_belong_into_a_package() {
        for file in ["src/lib.rs", "src/guide/neon.md", "Cargo.toml", "LICENSE"] {
            assert!(belongs(file), "{file}");
        }
        for file in ["public-api.txt", "tests/x.rs", ".env", "srcs/lib.rs"] {
            assert!(!belongs(file), "{file}");
        }
    }
}
