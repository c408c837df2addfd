//! What the steps of a set-up share: commands that are shown, and a place that the servers' account can enter.

use std::{
    env,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Keeps us from changing the machine.
pub(crate) const NO_INSTALL: &str = "XTASK_NO_INSTALL";

/// Whether a program is there and answers to these arguments.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a step of the set-up; what it prints goes to standard error.
pub(crate) fn step(command: &mut Command) -> Result<(), String> {
    let line = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    eprintln!("+ {line}");
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{line}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    Err(format!("`{line}`: {}", output.status))
}

/// Root's user id is 0; std has no `geteuid`.
pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Where to keep a program for the servers' account: below `target/`, or below a temporary directory where that account
/// cannot enter `target/`. `chooses`: what names another one instead.
pub(crate) fn place(folder: &str, chooses: &str) -> Result<PathBuf, String> {
    // A checkout may be seen from two platforms.
    let folder = format!("{folder}-{}-{}", env::consts::OS, env::consts::ARCH);
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| crate::workspace().join("target"), PathBuf::from);
    let target = std::path::absolute(&target).unwrap_or(target);
    if is_reachable(&target) {
        return Ok(target.join(folder));
    }
    let place = [
        env::temp_dir(),
        PathBuf::from("/tmp"),
        PathBuf::from("/var/tmp"),
    ]
    .into_iter()
    .find(|directory| directory.is_dir() && is_reachable(directory))
    .ok_or("other accounts can enter neither target/ nor a temporary directory")?
    .join(folder);
    // Everybody can write there, and we are root: what somebody else laid out is not run.
    match place.symlink_metadata() {
        Ok(metadata) if metadata.uid() != 0 => Err(format!(
            "{} belongs to somebody else: remove it, or set {chooses}",
            place.display()
        )),
        _ => Ok(place),
    }
}

/// What other accounts may enter, if the server will run as one.
fn is_reachable(path: &Path) -> bool {
    !is_root()
        || path
            .ancestors()
            .filter(|parent| parent.exists())
            .all(|parent| {
                parent
                    .metadata()
                    .is_ok_and(|metadata| metadata.mode() & 0o001 != 0)
            })
}

/// Lays out a directory beside its final place and moves it there complete: somebody else may be doing the same.
pub(crate) fn lay_out(
    place: &Path,
    fill: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), String> {
    let mut work = place.to_owned().into_os_string();
    work.push(format!(".{}.partial", std::process::id()));
    let work = PathBuf::from(work);
    let outcome = new_directory(&work)
        .and_then(|()| fill(&work))
        .and_then(|()| match std::fs::rename(&work, place) {
            Err(error) if !place.exists() => Err(format!(
                "cannot rename {} to {}: {error}",
                work.display(),
                place.display()
            )),
            _ => Ok(()),
        });
    // Nothing is left of it after the renaming.
    let _ = std::fs::remove_dir_all(&work);
    outcome
}

/// It must be new: in a temporary directory, an old one could be somebody else's.
fn new_directory(work: &Path) -> Result<(), String> {
    use std::{fs, os::unix::fs::PermissionsExt};

    // Not there before the first build of all.
    let parent = work.parent().unwrap_or(work);
    fs::create_dir_all(parent)
        .and_then(|()| fs::create_dir(work))
        // The server runs as another account when we are root, whatever our umask says.
        .and_then(|()| fs::set_permissions(work, fs::Permissions::from_mode(0o755)))
        .map_err(|error| format!("cannot make {}: {error}", work.display()))
}
