//! Facts about the workspace, as reported by `cargo metadata`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

/// The published package.
pub(crate) const LIBRARY: &str = "better-auth-layer";

/// The directory of the workspace.
pub(crate) fn root() -> PathBuf {
    // `cargo run` sets the variable, so a moved checkout needs no rebuild.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map(Path::to_owned).unwrap_or(xtask)
}

/// The output of `cargo metadata` for the workspace in the current directory of the shell.
pub(crate) fn metadata(sh: &Shell) -> Result<Value> {
    let text = cmd!(sh, "cargo metadata --quiet --format-version 1 --no-deps").quiet().read()?;
    Ok(serde_json::from_str(&text)?)
}

/// The metadata of the published package.
pub(crate) fn library(metadata: &Value) -> Result<&Value> {
    let packages = metadata.get("packages").and_then(Value::as_array);
    let is_library = |package: &&Value| package.get("name").is_some_and(|name| name == LIBRARY);
    let library = packages.into_iter().flatten().find(is_library);
    library.with_context(|| format!("the workspace has no package {LIBRARY}"))
}

/// The directory of build output.
pub(crate) fn target(sh: &Shell) -> Result<PathBuf> {
    Ok(text(&metadata(sh)?, "target_directory")?.into())
}

/// The value of a member that is a string.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    let text = value.get(key).and_then(Value::as_str);
    text.with_context(|| format!("cargo metadata reports no {key}"))
}

/// Fails with the command that installs a cargo subcommand if it is not installed.
pub(crate) fn require(sh: &Shell, subcommand: &str) -> Result<()> {
    let version = cmd!(sh, "cargo {subcommand} --version").quiet().ignore_status();
    ensure!(
        version.output()?.status.success(),
        "cargo-{subcommand} is not installed: run `cargo install --locked cargo-{subcommand}`"
    );
    Ok(())
}
