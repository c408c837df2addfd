//! Finds PgBouncer. `cargo xtask test` compiles this file as well.

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The message for a missing PgBouncer.
pub(crate) const WHAT_TO_INSTALL: &str = "\
these tests need a real PgBouncer, and none was found. One of these helps:
  * install it: `apt-get install pgbouncer` (Debian, Ubuntu), `dnf install pgbouncer` (Fedora), `apk add pgbouncer` (Alpine),
    `brew install pgbouncer` (macOS)
  * set PGBOUNCER_BIN to the program
  * run `cargo xtask test`, which fetches Debian's where there is apt-get";

/// The program: `PGBOUNCER_BIN`, then `PATH`, then the usual places.
pub(crate) fn find() -> Result<PathBuf, String> {
    if let Some(chosen) = env::var_os("PGBOUNCER_BIN") {
        // An explicit program must be valid. Another one is not tried.
        return match Path::new(&chosen).canonicalize() {
            Ok(absolute) if is_executable(&absolute) => Ok(absolute),
            _ => Err(format!(
                "PGBOUNCER_BIN is `{}`, which is no program: correct it, or unset it to search PATH and the usual places",
                chosen.display(),
            )),
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        // Debian's directory is only in root's PATH.
        .chain(["/usr/sbin", "/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from))
        .map(|directory| directory.join("pgbouncer"))
        .find(|program| is_executable(program))
        .ok_or_else(|| WHAT_TO_INSTALL.to_owned())
}

fn is_executable(program: &Path) -> bool {
    program
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
