//! `cargo xtask features`: the library has no warnings with no feature and with each alone.

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::workspace::{LIBRARY, library, metadata};

/// Lints the library once for each feature and stops at the first failure.
pub(crate) fn run(sh: &Shell) -> Result<()> {
    let metadata = metadata(sh)?;
    let features = library(&metadata)?.get("features").and_then(Value::as_object);
    let features = features.into_iter().flat_map(|features| features.keys());
    let features: Vec<&str> =
        features.map(String::as_str).filter(|name| *name != "default").collect();
    for feature in [""].iter().chain(&features) {
        let lint =
            cmd!(sh, "cargo clippy --quiet --locked -p {LIBRARY} --lib --no-default-features");
        lint.args(["--features", feature, "--", "-D", "warnings"])
            .run()
            .with_context(|| format!("{LIBRARY} fails with features \"{feature}\""))?;
    }
    println!("no feature and each of {} features alone: passed", features.len());
    Ok(())
}
