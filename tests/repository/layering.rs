//! Dependencies point one way: each module uses only modules above it in this list.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the foundations to the top. Modules on one line do not use each other.
const ORDER: [&[&str]; 23] = [
    &["clock", "config_error", "sync"],
    &["api_key", "base_url", "diagnostics", "schema", "secret", "tls"],
    &["rejection"],
    &["identity"],
    &["credential", "metrics"],
    &["telemetry"],
    &["csrf"],
    &["store"],
    &["jwks"],
    &["verify", "cache"],
    &["authenticator"],
    &["body"],
    &["decide"],
    &["stream", "authorize", "organization", "sql"],
    &["future"],
    &["service"],
    &["layer"],
    &["builder"],
    // Optional features, which only the next lines use.
    &["axum", "postgres", "sqlite", "tonic"],
    // The test kit.
    &["testing"],
    &["config"],
    // Contains no code.
    &["guide"],
    &["lib"],
];

#[test]
fn dependencies_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/better-auth-layer/src");
    let ranks: BTreeMap<&str, usize> = ORDER
        .iter()
        .enumerate()
        .flat_map(|(rank, modules)| modules.iter().map(move |module| (*module, rank)))
        .collect();
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 20, "only {} files in {}", files.len(), source.display());

    let mut upward = Vec::new();
    for file in files {
        let module = module_of(file.strip_prefix(&source).unwrap());
        let rank = ranks
            .get(module.as_str())
            .unwrap_or_else(|| panic!("module `{module}` is not in ORDER: add it"));
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for used in code.split("crate::").skip(1) {
                let used: String =
                    used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                // A name re-exported at the crate root would hide its module.
                let used_rank = ranks.get(used.as_str()).copied().unwrap_or(usize::MAX);
                if used != module && used_rank >= *rank {
                    upward.push(format!("{}:{}: {module} uses {used}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(upward.is_empty(), "\n{}", upward.join("\n"));
}

fn module_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str();
    Path::new(first).file_stem().unwrap().to_str().unwrap().to_owned()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
