//! Finds `initdb` and `postgres`. `cargo xtask test` compiles this file as well.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The message for a missing server.
pub(crate) const WHAT_TO_INSTALL: &str = "\
these tests need a real PostgreSQL, and none was found. One of these helps:
  * install the server: `apt-get install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora),
    `apk add postgresql` (Alpine), `brew install postgresql@18` (macOS)
  * set PG_BIN to a directory that holds `initdb` and `postgres`
  * set TEST_DATABASE_URL to a server whose user may create databases, such as postgres://user:password@localhost/postgres
  * run `cargo xtask test`, which fetches a server when the machine has none";

/// The directory with `initdb` and `postgres`: `PG_BIN`, then `PATH`, then the usual places, newest version first.
pub(crate) fn find() -> Result<PathBuf, String> {
    if let Some(directory) = env::var_os("PG_BIN") {
        return chosen(directory);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .chain(usual_places())
        .find(|directory| is_complete(directory))
        .ok_or_else(|| WHAT_TO_INSTALL.to_owned())
}

/// An explicit `PG_BIN` must be valid. Another server is not tried.
fn chosen(directory: OsString) -> Result<PathBuf, String> {
    let directory = PathBuf::from(directory);
    match directory.canonicalize() {
        Ok(absolute) if is_complete(&absolute) => Ok(absolute),
        _ => Err(format!(
            "PG_BIN is `{}`, which holds no executable `initdb` and `postgres`: correct it, or unset it to search PATH \
             and the usual places",
            directory.display(),
        )),
    }
}

/// Whether a directory contains the programs for a cluster.
pub(crate) fn is_complete(directory: &Path) -> bool {
    ["initdb", "postgres"].into_iter().all(|name| {
        directory
            .join(name)
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    })
}

/// Debian and Ubuntu, Homebrew on both kinds of Mac, and the PostgreSQL project's packages for
/// Fedora.
fn usual_places() -> Vec<PathBuf> {
    [
        ("/usr/lib/postgresql", ""),
        ("/opt/homebrew/opt", "postgresql"),
        ("/usr/local/opt", "postgresql"),
        ("/usr", "pgsql-"),
    ]
    .into_iter()
    .flat_map(|(parent, prefix)| newest_first(Path::new(parent), prefix))
    .map(|directory| directory.join("bin"))
    .collect()
}

/// The directories `<prefix><version>` of a parent, the highest version first.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((version(name.strip_prefix(prefix)?)?, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// `15`, `9.6` and `@17`. An empty text sorts lowest, and any other text is no version.
fn version(text: &str) -> Option<Vec<u32>> {
    let text = text.strip_prefix('@').unwrap_or(text);
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("15") > version("9.6"));
        assert!(version("@17") > version("@9"));
        assert!(version("@9") > version(""));
        assert_eq!(version("-common"), None);
    }
}
