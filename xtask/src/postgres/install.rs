//! The system's own PostgreSQL package, where we may install one: as root, with a package manager that never asks.

use std::{fs, path::Path, process::Command};

use super::{answers, is_root, step};

/// Read by Debian's packages before they make a cluster and start it, neither of which the tests want.
const DEBIAN_SETTINGS: &str = "/etc/postgresql-common/createcluster.d";

/// A package manager and its commands.
type Manager = (&'static str, &'static [&'static [&'static str]]);

const MANAGERS: &[Manager] = &[
    (
        "apt-get",
        &[
            &["update", "-q"],
            &[
                "install",
                "-y",
                "-q",
                "--no-install-recommends",
                "postgresql",
            ],
        ],
    ),
    ("dnf", &[&["install", "-y", "postgresql-server"]]),
    ("apk", &[&["add", "--no-cache", "postgresql"]]),
];

/// Installs the package, or says why not.
pub(super) fn install() -> Result<(), String> {
    if !is_root() {
        return Err("no system package was installed: that needs root".to_owned());
    }
    let (manager, commands) = MANAGERS
        .iter()
        .find(|(manager, _)| answers(manager, &["--version"]))
        .ok_or("no system package was installed: there is no apt-get, dnf or apk")?;
    eprintln!(
        "no PostgreSQL server found; installing the system's package ({}=1 keeps the system as it is)",
        super::NO_INSTALL,
    );
    let _settings = Settings::write(manager);
    for arguments in *commands {
        step(
            Command::new(manager)
                .args(*arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
    }
    Ok(())
}

/// A setting for the time of the installation only.
struct Settings(Option<String>);

impl Settings {
    fn write(manager: &str) -> Self {
        let file = format!("{DEBIAN_SETTINGS}/better-auth-layer-tests.conf");
        // Without it the package makes a cluster that nobody needs: no reason to give up.
        let written = manager == "apt-get"
            && fs::create_dir_all(Path::new(DEBIAN_SETTINGS)).is_ok()
            && fs::write(&file, "create_main_cluster = false\n").is_ok();
        Self(written.then_some(file))
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            let _ = fs::remove_file(file);
        }
    }
}
