//! Licences, sources, what is banned, and known weaknesses of what we depend on: `deny.toml`.

use super::{Outcome, need, outcome};
use crate::{cargo, workspace};

pub(super) fn run() -> Result<Outcome, String> {
    need("deny")?;
    let check = |what: &[&str]| {
        let mut command = cargo();
        command
            .current_dir(workspace())
            .args(["deny", "--locked", "--log-level", "error", "check"])
            .args(what);
        command
    };
    let without_network = outcome(&mut check(&["bans", "licenses", "sources"]))?;
    if !matches!(without_network, Outcome::Passed) {
        return Ok(without_network);
    }
    let output = check(&["advisories"]).output();
    let output = output.map_err(|error| format!("cannot run cargo deny: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    // Fetched from a repository of its own, which not every machine can reach.
    if !output.status.success() && text.contains("failed to fetch advisory database") {
        return Ok(Outcome::NotChecked(
            "advisories, as their database cannot be fetched here".to_owned(),
        ));
    }
    eprint!("{text}");
    Ok(if output.status.success() {
        Outcome::Passed
    } else {
        Outcome::Failed(1)
    })
}
