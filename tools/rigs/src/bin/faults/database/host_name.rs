//! The host name of the database cannot be resolved.
//!
//! The server runs in a mount namespace with a separate `/etc/hosts` and no other source of names.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use cluster::ClusterOptions;
use support::temporary_folder::TemporaryFolder;
use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Backing, Expected, Fixture, Kind, Launch, Server, Trial, USUAL};

const NAME: &str = "database.fault.internal";

/// Longer than the query timeout.
const TIMES: usize = 16;
const PAUSE: Duration = Duration::from_millis(500);

/// Existing connections need no name.
const END_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name = 'better-auth-layer'";

const WITHIN: &str = r#"mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf && exec "$@""#;

pub(crate) async fn run() -> Check {
    let folder = TemporaryFolder::new();
    let hosts = |known: bool| {
        let more = if known { NAME } else { "" };
        let text = format!("127.0.0.1 localhost {more}\n");
        // The file is changed in place, because the mount refers to the inode.
        fs::write(folder.path().join("hosts"), text).expect("the folder is writable");
    };
    hosts(true);
    let sources = "passwd: files\ngroup: files\nhosts: files\n";
    fs::write(folder.path().join("nsswitch.conf"), sources).expect("the folder is writable");

    let backing = Backing::start(ClusterOptions::default()).await;
    let url = backing.database.tcp_url();
    let url = url.replace("@localhost:", &format!("@{NAME}:"));
    let mut launch = Launch::on(&backing, &format!("{url}?sslmode=disable"));
    launch.within = within(folder.path());
    let fixture = Fixture {
        server: Server::start(&launch).await,
        backing,
    };
    let trial = Trial::begin(&fixture, USUAL, Expected::Fails(Kind::needs_store)).await;
    trial.strikes();
    hosts(false);
    for _ in 0..TIMES {
        fixture.backing.execute(END_ALL).await;
        sleep(PAUSE).await;
    }
    hosts(true);
    trial.ends();
    trial.conclude().await
}

/// The prefix of a command that runs with these files. Without root, in a user namespace as well.
fn within(folder: &Path) -> Vec<OsString> {
    let flags = if is_root() { "-m" } else { "-rm" };
    let mut within: Vec<OsString> = ["unshare", flags, "sh", "-c", WITHIN]
        .map(Into::into)
        .into();
    within.push(folder.into());
    within
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t0\t"))
}
