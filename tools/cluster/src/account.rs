//! The account of the server. PostgreSQL does not run as root.

use std::{
    env, fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

/// The path of a socket must fit into `sockaddr_un`: 104 bytes on macOS with the final zero.
const LONGEST_SOCKET_PATH: usize = 103;

/// The length of `/bat-<pid>-<hex>-<number>/.s.PGSQL.<port>`.
const SOCKET_SUFFIX: usize = 50;

/// The account that runs the server.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    /// The user and group id of another account.
    other: Option<(u32, u32)>,
}

impl Account {
    /// The current account, or for root `postgres` or `nobody`.
    pub(super) fn choose() -> Result<Self, String> {
        if own_user_id()? != 0 {
            return Ok(Self {
                name: "the user who runs the tests".to_owned(),
                other: None,
            });
        }
        let passwd = fs::read_to_string("/etc/passwd")
            .map_err(|error| format!("cannot read /etc/passwd: {error}"))?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| {
                Some(Self {
                    name: format!("user `{name}`"),
                    other: Some(ids(&passwd, name)?),
                })
            })
            .ok_or_else(|| {
                "PostgreSQL does not run as root, and /etc/passwd has neither `postgres` nor `nobody`: \
                 run the tests as another user"
                    .to_owned()
            })
    }

    /// The name for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A command for this account, without our working directory and our `PG*` variables.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir("/").env("LC_ALL", "C");
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a file to this account.
    pub(super) fn give(&self, file: &Path) -> io::Result<()> {
        match self.other {
            Some((user, group)) => chown(file, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// The parent directory of clusters: the temporary directory, unless the account cannot enter
    /// it or its path is too long for a socket, as a `target/` in a home directory of mode 0700
    /// would be.
    pub(super) fn base_directory(&self) -> Result<PathBuf, String> {
        let wanted = env::temp_dir();
        [wanted.clone(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")]
            .into_iter()
            .find(|directory| {
                directory.as_os_str().len() + SOCKET_SUFFIX <= LONGEST_SOCKET_PATH && self.can_write(directory)
            })
            .ok_or_else(|| {
                format!(
                    "no directory for a cluster: {}, /tmp and /var/tmp are too long for a socket or not writable for {}; \
                     set TMPDIR to a short path that is",
                    wanted.display(),
                    self.name,
                )
            })
    }

    fn can_write(&self, directory: &Path) -> bool {
        let Ok(directory) = directory.canonicalize() else {
            return false;
        };
        match self.other {
            None => directory.is_dir(),
            // Other accounts have the rights of everyone.
            Some(_) => {
                everybody_may(&directory, 0o003)
                    && directory
                        .ancestors()
                        .all(|parent| everybody_may(parent, 0o001))
            }
        }
    }
}

fn everybody_may(path: &Path, rights: u32) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.mode() & rights == rights)
}

/// std has no `geteuid`, and the workspace forbids unsafe code.
fn own_user_id() -> Result<u32, String> {
    let output = Command::new("id")
        .arg("-u")
        .output()
        .map_err(|error| format!("cannot run `id -u`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| format!("`id -u` printed {:?}, not a user id", text.trim()))
}

/// User and group id from a line `name:password:uid:gid:…`.
fn ids(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = passwd
        .lines()
        .map(|line| line.split(':'))
        .find(|fields| fields.clone().next() == Some(name))?
        .skip(2)
        // macOS writes the user id of `nobody` as -2.
        .map_while(|field| Some(field.parse::<i64>().ok()? as u32));
    Some((fields.next()?, fields.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_the_line_of_that_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres-old:x:7:7::/:\npostgres:x:101:104:a,b:/var:/bin/sh\n";
        assert_eq!(ids(passwd, "postgres"), Some((101, 104)));
        assert_eq!(ids(passwd, "nobody"), None);
        assert_eq!(
            ids("nobody:*:-2:-2::/:", "nobody"),
            Some((u32::MAX - 1, u32::MAX - 1))
        );
    }

    #[test]
    fn another_account_gets_no_directory_that_it_cannot_enter() {
        let nobody = Account {
            name: "nobody".to_owned(),
            other: Some((65534, 65534)),
        };
        assert!(nobody.can_write(Path::new("/tmp")));
        assert!(!nobody.can_write(Path::new("/usr")));
        assert!(!nobody.can_write(Path::new("/no/such/directory")));
    }
}
