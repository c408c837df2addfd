//! `cargo xtask vectors`: the implementation against vectors that others can read.

use crate::{USAGE, cargo, run as run_command};

/// Hands the directory, as seen from here, to the program that knows the vectors.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    let [directory] = arguments else {
        return Err(USAGE.to_owned());
    };
    let absolute =
        std::path::absolute(directory).map_err(|error| format!("{directory}: {error}"))?;
    if !absolute.is_dir() {
        return Err(format!(
            "{} is not a directory: name the one that holds the vectors",
            absolute.display()
        ));
    }
    run_command(
        cargo()
            .args(["run", "--quiet", "-p", "rigs", "--bin", "vectors", "--"])
            .arg(&absolute),
    )
}
