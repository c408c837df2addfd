//! The system's own package, where we may install one: as root, with a package manager that never asks.

use std::{env, fs, path::Path, process::Command};

use crate::setup::{NO_INSTALL, answers, is_root, step};

/// Read by Debian's packages before they make a cluster and start it, neither of which the tests want.
const DEBIAN_SETTINGS: &str = "/etc/postgresql-common/createcluster.d";

/// A package manager and its commands; the last one is followed by the package.
type Manager = (&'static str, &'static [&'static [&'static str]]);

const MANAGERS: &[Manager] = &[
    (
        "apt-get",
        &[
            &["update", "-q"],
            &["install", "-y", "-q", "--no-install-recommends"],
        ],
    ),
    ("dnf", &[&["install", "-y"]]),
    ("apk", &[&["add", "--no-cache"]]),
];

/// Installs what each package manager calls by its own name, or says why not.
pub(crate) fn install(what: &str, packages: &[(&str, &str)]) -> Result<(), String> {
    if env::var_os(NO_INSTALL).is_some() {
        return Err(format!(
            "no system package was installed: {NO_INSTALL} is set"
        ));
    }
    if !is_root() {
        return Err("no system package was installed: that needs root".to_owned());
    }
    let (manager, commands, package) = MANAGERS
        .iter()
        .filter_map(|(manager, commands)| {
            let (_, package) = packages.iter().find(|(of, _)| of == manager)?;
            Some((manager, commands, package))
        })
        .find(|(manager, ..)| answers(manager, &["--version"]))
        .ok_or("no system package was installed: there is no package manager that we know")?;
    eprintln!(
        "no {what} found; installing the system's package ({NO_INSTALL}=1 keeps the system as it is)"
    );
    let _settings = Settings::write(manager);
    for (index, arguments) in commands.iter().enumerate() {
        let is_last = index + 1 == commands.len();
        step(
            Command::new(manager)
                .args(*arguments)
                .args(is_last.then_some(package))
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
