//! The library's bill of materials, as CycloneDX.

use std::fs;

use super::{Outcome, PACKAGE, need};
use crate::{cargo, workspace};

const SPECIFICATION: &str = "1.5";

/// Writes `target/sbom/better-auth-layer.cdx.json`: all features, without what only the tests need.
pub(super) fn run() -> Result<Outcome, String> {
    need("cyclonedx")?;
    let name = format!("{PACKAGE}.cdx");
    let folder = workspace().join("crates").join(PACKAGE);
    let code = crate::run(
        cargo()
            .current_dir(&folder)
            .args(["cyclonedx", "--quiet", "--all-features", "--format", "json"])
            .args(["--spec-version", SPECIFICATION]),
    )?;
    let (made, others) = (format!("{name}.json"), written()?);
    let place = workspace().join("target/sbom");
    fs::create_dir_all(&place)
        .and_then(|()| fs::copy(folder.join(&made), place.join(&made)))
        .map_err(|error| format!("cannot write {}: {error}", place.join(&made).display()))?;
    // It writes one for every member of the workspace, beside its manifest.
    for file in others {
        let _ = fs::remove_file(file);
    }
    println!("target/sbom/{made}");
    Ok(code.into())
}

fn written() -> Result<Vec<std::path::PathBuf>, String> {
    let mut files = Vec::new();
    for parent in ["", "crates", "examples"] {
        let parent = workspace().join(parent);
        let entries = fs::read_dir(&parent)
            .map_err(|error| format!("cannot read {}: {error}", parent.display()))?;
        for member in entries.flatten().map(|entry| entry.path()) {
            let files_of_member = fs::read_dir(&member).into_iter().flatten().flatten();
            files.extend(
                files_of_member
                    .map(|entry| entry.path())
                    .filter(|path| path.to_string_lossy().ends_with(".cdx.json")),
            );
        }
    }
    Ok(files)
}
