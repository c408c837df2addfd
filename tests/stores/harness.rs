//! The PostgreSQL harness: servers start, stop, freeze, use TLS, and are removed.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cluster::{CertificateAuthority, ClusterOptions, OwnCluster, cluster};
use tokio::time::timeout;

/// Set in the process that [`hold_clusters`].
const HOLD_CLUSTERS: &str = "HOLD_CLUSTERS";

#[tokio::test]
async fn databases_are_isolated() {
    let cluster = cluster().await;
    let (first, second) = tokio::join!(cluster.create_database(), cluster.create_database());
    assert_ne!(first.name(), second.name());

    first.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (41)").await;
    let row = first
        .client()
        .await
        .query_one("SELECT n + 1 FROM t", &[])
        .await
        .expect("the table is there");
    assert_eq!(row.get::<_, i32>(0), 42);
    let row = second
        .client()
        .await
        .query_one("SELECT to_regclass('t') IS NULL, current_database()::text", &[])
        .await
        .expect("a query");
    assert!(row.get::<_, bool>(0), "a new database has no tables");
    assert_eq!(row.get::<_, String>(1), second.name());
}

#[tokio::test]
#[should_panic(expected = "42P01: relation \"absent\" does not exist")]
async fn sql_errors_are_reported() {
    cluster().await.create_database().await.execute("SELECT * FROM absent").await;
}

#[tokio::test]
async fn server_restarts() {
    let cluster = OwnCluster::start(ClusterOptions {
        tcp: true,
        extra: vec![("application_name".to_owned(), "it's \\ quoted".to_owned())],
        ..ClusterOptions::default()
    })
    .await;
    let port = cluster.port().expect("a TCP port");
    let database = cluster.create_database().await;
    database.execute("CREATE TABLE t AS SELECT 1 AS n").await;

    let client = database.client().await;
    let row = client.query_one("SHOW application_name", &[]).await.expect("the server runs");
    assert_eq!(row.get::<_, String>(0), "it's \\ quoted");
    let first = cluster.postmaster_pid();
    cluster.stop_fast().await;
    client.query_one("SELECT 1", &[]).await.expect_err("the server is stopped");
    TcpStream::connect(("127.0.0.1", port)).expect_err("nobody listens");

    cluster.start_again().await;
    assert_ne!(cluster.postmaster_pid(), first);
    assert_eq!(cluster.port(), Some(port));
    cluster.stop_immediate().await;
    cluster.start_again().await;
    assert!(
        cluster.log().contains("automatic recovery in progress"),
        "an immediate stop is a crash"
    );
    database.client().await.query_one("SELECT n FROM t", &[]).await.expect("the table survived");

    let (over_tcp, connection) = tokio_postgres::connect(database.tcp_url(), tokio_postgres::NoTls)
        .await
        .expect("the TCP URL has the password");
    tokio::spawn(connection);
    over_tcp.query_one("SELECT n FROM t", &[]).await.expect("the same database");
}

#[tokio::test]
async fn server_freezes_and_thaws() {
    let cluster = OwnCluster::start(ClusterOptions::default()).await;
    let client = cluster.create_database().await.client().await;
    let pid: i32 =
        client.query_one("SELECT pg_backend_pid()", &[]).await.expect("a process id").get(0);
    let pid = u32::try_from(pid).expect("a positive number");

    OwnCluster::freeze(pid);
    let mut answer = Box::pin(client.query_one("SELECT 1", &[]));
    timeout(Duration::from_millis(300), &mut answer)
        .await
        .expect_err("a frozen process does not answer");
    OwnCluster::thaw(pid);
    answer.await.expect("the answer comes after all");

    // A frozen process does not prevent the removal of the cluster.
    OwnCluster::freeze(pid);
    OwnCluster::freeze(cluster.postmaster_pid());
    let directory = cluster.socket_dir().to_owned();
    drop(cluster);
    assert!(!directory.exists());
}

#[tokio::test]
async fn tls_needs_a_certificate() {
    let authority = CertificateAuthority::new();
    let with = OwnCluster::start(ClusterOptions {
        // The server does not start with a certificate and a key that do not match.
        tls: Some(authority.issue(&["localhost", "127.0.0.1"])),
        ..ClusterOptions::default()
    })
    .await;
    let without =
        OwnCluster::start(ClusterOptions { tcp: true, ..ClusterOptions::default() }).await;
    assert_eq!(answer_to_ssl_request(&with), b'S');
    assert_eq!(answer_to_ssl_request(&without), b'N');
}

/// Protocol 3, "SSL Session Encryption": length 8 and the code 80877103; one byte comes back.
fn answer_to_ssl_request(cluster: &OwnCluster) -> u8 {
    let port = cluster.port().expect("a TCP port");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).expect("the request is sent");
    let mut answer = [0];
    stream.read_exact(&mut answer).expect("one byte");
    answer[0]
}

/// The test runs itself in a second process that holds two clusters until it is killed.
#[tokio::test]
async fn killed_process_leaves_no_servers() {
    if env::var_os(HOLD_CLUSTERS).is_some() {
        hold_clusters().await;
    }
    let mut victim = Command::new(env::current_exe().expect("the path of the test binary"))
        .args(["--exact", "--nocapture", "harness::killed_process_leaves_no_servers"])
        .env(HOLD_CLUSTERS, "1")
        .env_remove("TEST_DATABASE_URL")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test binary starts");
    let output = BufReader::new(victim.stdout.take().expect("a pipe"));
    let clusters: Vec<(u32, String)> = output
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            let (pid, directory) = line.split_once("cluster ")?.1.split_once(' ')?;
            Some((pid.parse().ok()?, directory.to_owned()))
        })
        .take(2)
        .collect();
    victim.kill().expect("kill -9");
    victim.wait().expect("the victim ends");

    assert_eq!(clusters.len(), 2, "the shared cluster and a separate one: {clusters:?}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while clusters.iter().any(|(pid, directory)| Path::new(directory).exists() || is_alive(*pid)) {
        assert!(Instant::now() < deadline, "still there after 30 s: {clusters:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Starts the shared cluster and a separate one, and prints the process id and the directory of each.
async fn hold_clusters() -> ! {
    let shared = cluster().await;
    let client = shared.create_database().await.client().await;
    let sql = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
    let row = client.query_one(sql, &[]).await.expect("a superuser can read the file");
    println!("\ncluster {} {}", row.get::<_, String>(0), shared.socket_dir().display());
    let own = OwnCluster::start(ClusterOptions::default()).await;
    println!("\ncluster {} {}", own.postmaster_pid(), own.socket_dir().display());
    std::future::pending().await
}

fn is_alive(pid: u32) -> bool {
    Command::new("sh")
        .args(["-c", "kill -0 \"$1\" 2>/dev/null", "sh", &pid.to_string()])
        .status()
        .expect("a shell")
        .success()
}
