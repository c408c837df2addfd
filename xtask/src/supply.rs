//! `cargo xtask supply`: the dependencies of the library, and its builds on other machines.

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::workspace::{self, LIBRARY, require};

/// The part of a check that could not be made.
type NotChecked = Option<&'static str>;

type Check = fn(&Shell) -> Result<NotChecked>;

/// The checks that need no argument, the fastest first.
const CHECKS: [(&str, Check); 6] = [
    ("dependencies", dependencies),
    ("sbom", sbom),
    ("package", package),
    ("offline", offline),
    ("msrv", msrv),
    ("minimal", minimal),
];

/// Runs every check, or the named one. A failure does not prevent the checks after it.
pub(crate) fn run(sh: &Shell, arguments: &[&str]) -> Result<()> {
    let names = CHECKS.map(|(name, _)| name);
    let chosen = match *arguments {
        ["semver"] => return semver(sh, None),
        ["semver", commit] => return semver(sh, Some(commit)),
        [] => None,
        [name] if names.contains(&name) => Some(name),
        _ => bail!("usage: cargo xtask supply [{} | semver [COMMIT]]", names.join(" | ")),
    };
    let mut results = Vec::new();
    for (name, check) in CHECKS {
        if chosen.is_none_or(|chosen| chosen == name) {
            println!("\n==> {name}");
            results.push(match check(sh) {
                Ok(None) => format!("{name}: passed"),
                Ok(Some(part)) => format!("{name}: NOT CHECKED: {part}"),
                Err(error) => format!("{name}: FAILED: {error:#}"),
            });
        }
    }
    println!("\n{}", results.join("\n"));
    ensure!(results.iter().all(|result| result.ends_with(": passed")), "not every check passed");
    Ok(())
}

/// `deny.toml`: licences, sources, banned crates and known vulnerabilities.
fn dependencies(sh: &Shell) -> Result<NotChecked> {
    require(sh, "deny")?;
    cmd!(sh, "cargo deny --locked --log-level error check bans licenses sources").run()?;
    let advisories = cmd!(sh, "cargo deny --locked --log-level error check advisories");
    let output = advisories.ignore_status().output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && text.contains("failed to fetch advisory database") {
        return Ok(Some("the advisory database cannot be fetched"));
    }
    ensure!(output.status.success(), "{text}");
    Ok(None)
}

/// The bill of materials, CycloneDX 1.5, of the library with all features.
fn sbom(sh: &Shell) -> Result<NotChecked> {
    require(sh, "cyclonedx")?;
    cmd!(sh, "cargo cyclonedx --quiet --all-features --format json --spec-version 1.5").run()?;
    let file = format!("{LIBRARY}.cdx.json");
    let folder = workspace::target(sh)?.join("sbom");
    sh.create_dir(&folder)?;
    sh.copy_file(workspace::root().join("crates").join(LIBRARY).join(&file), &folder)?;
    println!("{}", folder.join(&file).display());
    // The tool writes a file next to the manifest of every package.
    cmd!(sh, "find crates examples tests tools xtask -name *.cdx.json -delete").run()?;
    Ok(None)
}

/// The published package holds sources, README and licence only, and builds.
fn package(sh: &Shell) -> Result<NotChecked> {
    let files = cmd!(sh, "cargo package --list --allow-dirty -p {LIBRARY}").read()?;
    let expected = "Cargo.lock Cargo.toml Cargo.toml.orig LICENSE README.md .cargo_vcs_info.json";
    let expected: Vec<_> = expected.split(' ').collect();
    let others = files.lines().filter(|file| !file.starts_with("src/"));
    let unexpected: Vec<_> = others.filter(|file| !expected.contains(file)).collect();
    ensure!(unexpected.is_empty(), "unexpected files in the package: {unexpected:?}");
    ensure!(files.lines().any(|file| file == "LICENSE"), "the package contains no licence");
    cmd!(sh, "cargo publish --dry-run --locked --allow-dirty -p {LIBRARY}").run()?;
    Ok(None)
}

/// Everything builds without a network from the crates that cargo has fetched.
fn offline(sh: &Shell) -> Result<NotChecked> {
    cmd!(sh, "cargo fetch --locked").run()?;
    // An empty network namespace; creating one may be forbidden.
    let isolated = ["--net", "--map-root-user"];
    if cmd!(sh, "unshare {isolated...} true").quiet().ignore_stderr().run().is_err() {
        return Ok(Some("`unshare --net` of util-linux is missing or not permitted"));
    }
    // A separate directory, so that the build scripts run again.
    let check = cmd!(sh, "unshare {isolated...} cargo check --workspace --locked --offline");
    check.env("CARGO_TARGET_DIR", workspace::target(sh)?.join("offline")).run()?;
    Ok(None)
}

/// The library builds with the `rust-version` of its manifest.
fn msrv(sh: &Shell) -> Result<NotChecked> {
    let metadata = workspace::metadata(sh)?;
    let version = workspace::text(workspace::library(&metadata)?, "rust_version")?;
    let check = cmd!(sh, "rustup run {version} cargo check -p {LIBRARY} --all-features --locked");
    check.env("CARGO_TARGET_DIR", workspace::target(sh)?.join("msrv")).run()?;
    Ok(None)
}

/// The library builds with the oldest versions of its dependencies that its manifest allows.
fn minimal(sh: &Shell) -> Result<NotChecked> {
    require(sh, "hack")?;
    require(sh, "minimal-versions")?;
    cmd!(sh, "cargo minimal-versions check --direct --workspace --no-private --all-features --lib")
        // The stable cargo has the unstable option as well.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", workspace::target(sh)?.join("minimal"))
        .run()?;
    Ok(None)
}

/// The version of the manifest allows the changes since a commit or since the last release.
fn semver(sh: &Shell, commit: Option<&str>) -> Result<()> {
    require(sh, "semver-checks")?;
    let baseline = match commit {
        Some(commit) => commit.to_owned(),
        None => cmd!(sh, "git describe --tags --abbrev=0 --match v*")
            .read()
            .context("no release is tagged yet: name a commit")?,
    };
    cmd!(sh, "cargo semver-checks --all-features -p {LIBRARY} --baseline-rev {baseline}").run()?;
    Ok(())
}
