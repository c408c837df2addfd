//! Compares the library's public API with the listing in the repository, so that changes are
//! visible in a review. `--write` updates the listing.
//!
//! rustdoc's JSON is not stable: it must come from the toolchain that `public-api` supports.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

const TOOLCHAIN: &str = "1.95";

fn main() -> ExitCode {
    let write = env::args()
        .nth(1)
        .is_some_and(|argument| argument == "--write");
    match run(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(write: bool) -> Result<(), String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listing = workspace.join("crates/better-auth-layer/public-api.txt");
    let now = public_api(&workspace)?;
    if write {
        return fs::write(&listing, now).map_err(|error| error.to_string());
    }
    let written = fs::read_to_string(&listing)
        .map_err(|error| format!("{} cannot be read: {error}", listing.display()))?;
    let (gone, new) = (missing(&written, &now), missing(&now, &written));
    if gone.is_empty() && new.is_empty() {
        println!("public API: {} items, as listed", now.lines().count());
        return Ok(());
    }
    for line in gone {
        println!("- {line}");
    }
    for line in new {
        println!("+ {line}");
    }
    Err("the public API is not the one in crates/better-auth-layer/public-api.txt; if it is meant to be, run `cargo xtask api --write` and have the change reviewed".to_owned())
}

/// The lines of one listing that are missing in the other.
fn missing<'a>(of: &'a str, from: &str) -> Vec<&'a str> {
    let from: std::collections::BTreeSet<&str> = from.lines().collect();
    of.lines().filter(|line| !from.contains(line)).collect()
}

fn public_api(workspace: &Path) -> Result<String, String> {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), Into::into);
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace)
        .args(["rustdoc", "--quiet", "--locked", "-p", "better-auth-layer", "--lib", "--all-features"])
        .arg("--target-dir")
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"])
        // rustdoc's JSON output is unstable.
        .env("RUSTC_BOOTSTRAP", "1")
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !status.success() {
        return Err("rustdoc has failed".to_owned());
    }
    let api = public_api::Builder::from_rustdoc_json(target.join("doc/better_auth_layer.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|error| {
            format!("rustdoc's JSON cannot be read ({error}): it has to come from Rust {TOOLCHAIN}, the toolchain that tests/Cargo.toml has `public-api` for")
        })?;
    Ok(api.items().map(|item| format!("{item}\n")).collect())
}
