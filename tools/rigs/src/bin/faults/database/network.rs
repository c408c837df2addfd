//! A network that drops packets silently, so that connections are half open.
//!
//! The server under test runs in a network namespace with two links: one for its clients and the
//! service behind it, one for the database. The second one is cut.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cluster::ClusterOptions;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::check::Check;
use crate::rig::{Backing, Echo, Expected, Fixture, Kind, Launch, Server, Trial, WITHOUT_KEYS};

/// Longer than the query timeout.
const LASTS: Duration = Duration::from_secs(8);

/// A private range. The service behind the layer must be on a private network.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 199, 251, 1);
const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 199, 251, 2);
const DATABASE: Ipv4Addr = Ipv4Addr::new(198, 18, 251, 1);
const DATABASE_INSIDE: Ipv4Addr = Ipv4Addr::new(198, 18, 251, 2);

pub(crate) async fn run() -> Check {
    let namespace = Namespace::new();
    let mut backing = Backing::start(ClusterOptions::default()).await;
    backing.echo = Echo::start(IpAddr::V4(OUTSIDE)).await;
    let port = backing.cluster.port().expect("it listens");
    let _way = Way::open(port).await;
    let url = backing.database.tcp_url();
    let url = url.replace("@localhost:", &format!("@{DATABASE}:"));
    let mut launch = Launch::on(&backing, &format!("{url}?sslmode=disable"))
        .set("HOST", &INSIDE.to_string())
        // The URL would have to be on this machine.
        .set("BETTER_AUTH_URL", "");
    launch.within = namespace.enter();
    let fixture = Fixture {
        server: Server::start(&launch).await,
        backing,
    };
    let trial = Trial::begin(&fixture, WITHOUT_KEYS, Expected::Fails(Kind::needs_store)).await;
    trial.strikes();
    ip(&["link", "set", &namespace.line(DATABASE_LINE), "down"]);
    sleep(LASTS).await;
    ip(&["link", "set", &namespace.line(DATABASE_LINE), "up"]);
    trial.ends();
    trial.conclude().await
}

const CLIENT_LINE: char = 'c';
const DATABASE_LINE: char = 'd';

/// A network namespace that lives as long as a process in it, with its links.
struct Namespace {
    holder: Child,
}

impl Namespace {
    fn new() -> Self {
        // The process reports when it has entered the namespace.
        let mut holder = Command::new("unshare")
            .args(["-n", "sh", "-c", "echo inside; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`unshare`, of util-linux");
        let mut line = String::new();
        let output = holder.stdout.take().expect("it is piped");
        let _ = BufReader::new(output).read_line(&mut line);
        assert_eq!(
            line, "inside\n",
            "a network namespace cannot be made: run this as root, or in a container with CAP_SYS_ADMIN and CAP_NET_ADMIN"
        );
        let namespace = Self { holder };
        namespace.lay(CLIENT_LINE, OUTSIDE, INSIDE);
        namespace.lay(DATABASE_LINE, DATABASE, DATABASE_INSIDE);
        namespace
    }

    /// A pair of devices, one of them inside.
    fn lay(&self, which: char, outside: Ipv4Addr, inside: Ipv4Addr) {
        let (here, there) = (self.line(which), format!("{}i", self.line(which)));
        let pid = self.holder.id().to_string();
        ip(&["link", "add", &here, "type", "veth", "peer", "name", &there]);
        ip(&["link", "set", &there, "netns", &pid]);
        ip(&["address", "add", &format!("{outside}/30"), "dev", &here]);
        ip(&["link", "set", &here, "up"]);
        let within = |arguments: &[&str]| {
            let enter = ["-t", &pid, "-n", "ip"];
            succeed(Command::new("nsenter").args(enter).args(arguments));
        };
        within(&["link", "set", "lo", "up"]);
        within(&["address", "add", &format!("{inside}/30"), "dev", &there]);
        within(&["link", "set", &there, "up"]);
    }

    /// The unique name of a link's outer device.
    fn line(&self, which: char) -> String {
        format!("bal{which}{}", self.holder.id())
    }

    /// The prefix of a command that runs inside.
    fn enter(&self) -> Vec<std::ffi::OsString> {
        let pid = self.holder.id().to_string();
        ["nsenter", "-t", &pid, "-n"].map(Into::into).into()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        for which in [CLIENT_LINE, DATABASE_LINE] {
            let mut delete = Command::new("ip");
            delete.args(["link", "delete", &self.line(which)]);
            let _ = delete.stderr(Stdio::null()).status();
        }
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Forwards from the outer end of the database link to the database, which listens on localhost.
struct Way(JoinHandle<()>);

impl Way {
    async fn open(port: u16) -> Self {
        let listener = TcpListener::bind((DATABASE, port)).await;
        let listener = listener.expect("the address is ours");
        Self(tokio::spawn(async move {
            loop {
                let Ok((mut client, _)) = listener.accept().await else {
                    continue;
                };
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        }))
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn ip(arguments: &[&str]) {
    succeed(Command::new("ip").args(arguments));
}

fn succeed(command: &mut Command) {
    let status = command.status();
    let status = status.expect("`ip` of iproute2 and `nsenter` of util-linux");
    assert!(status.success(), "{command:?}: {status}");
}
