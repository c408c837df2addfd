//! The oldest compiler that is promised: `rust-version`.

use std::fs;
use std::process::{Command, Stdio};

use super::{Outcome, PACKAGE, outcome};
use crate::workspace;

pub(super) fn run() -> Result<Outcome, String> {
    let version = promised()?;
    let toolchain = format!("+{version}");
    let is_there = Command::new("cargo")
        .args([toolchain.as_str(), "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_there {
        return Err(format!(
            "Rust {version} is not there: rustup toolchain install {version} --profile minimal"
        ));
    }
    outcome(
        // rustup's, which knows what `+` means; the cargo that runs us does not.
        Command::new("cargo")
            .arg(toolchain)
            .current_dir(workspace())
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO")
            .env("CARGO_TARGET_DIR", workspace().join("target/msrv"))
            .args(["check", "-p", PACKAGE, "--all-features", "--locked"]),
    )
}

fn promised() -> Result<String, String> {
    let manifest = workspace().join("Cargo.toml");
    let text = fs::read_to_string(&manifest)
        .map_err(|error| format!("cannot read {}: {error}", manifest.display()))?;
    version(&text).ok_or_else(|| format!("there is no rust-version in {}", manifest.display()))
}

fn version(manifest: &str) -> Option<String> {
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \""))?;
    line.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_workspace() {
        let manifest = "[workspace.package]\nedition = \"2024\"\nrust-version = \"1.89\"\n";
        assert_eq!(version(manifest).as_deref(), Some("1.89"));
        assert_eq!(version("[package]\nrust-version.workspace = true\n"), None);
        promised().unwrap();
    }
}
