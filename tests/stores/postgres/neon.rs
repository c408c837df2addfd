//! The statements of the guide about Neon, on a local server: a direct and a pooled host with
//! verified TLS, SCRAM and channel binding, and a sleeping database.

use std::sync::Mutex;
use std::time::Instant;
use support::prelude::*;

use cluster::{CertificateAuthority, ClusterOptions, Database, OwnCluster, Pooler};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::fixtures::{ADA, ADA_FOUND, Types, ask_for_ada, error_for_ada, everything};

const DIRECT: &str = "ep-name-123456.eu-central-1.aws.neon.test";
const POOLED: &str = "ep-name-123456-pooler.eu-central-1.aws.neon.test";

/// A compute with its two hosts.
struct Compute {
    cluster: OwnCluster,
    database: Database,
    pooler: Pooler,
    folder: TemporaryFolder,
}

impl Compute {
    async fn start() -> Self {
        let authority = CertificateAuthority::new();
        let cluster = OwnCluster::start(ClusterOptions {
            tls: Some(authority.issue(&[DIRECT])),
            ..ClusterOptions::default()
        })
        .await;
        let pooler = Pooler::start_with_tls(&cluster, &authority.issue(&[POOLED])).await;
        let database = cluster.create_database().await;
        database.execute(&Types::USUAL.ddl()).await;
        database.execute(&ADA.join(";")).await;
        database.execute("CHECKPOINT").await;
        let folder = TemporaryFolder::new();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { cluster, database, pooler, folder }
    }

    /// The URL of Neon's console, with a local IP address and a local authority.
    fn url(&self, host: &str, port: Option<u16>, query: &str) -> String {
        let own = format!("@localhost:{}/", self.cluster.port().unwrap());
        let url = self.database.tcp_url();
        assert!(url.contains(&own), "{url}");
        let url = url.replace(&own, &format!("@{host}:{}/", port.unwrap()));
        let authority = self.folder.path().join("ca.pem");
        format!("{url}?{query}&hostaddr=127.0.0.1&sslrootcert={}", authority.display())
    }

    fn direct(&self, query: &str) -> PostgresStoreBuilder {
        PostgresStore::builder(&self.url(DIRECT, self.cluster.port(), query))
    }

    fn pooled(&self, query: &str) -> PostgresStoreBuilder {
        PostgresStore::builder(&self.url(POOLED, self.pooler.port(), query))
    }

    /// Ends all other connections, as a compute does when it goes to sleep.
    async fn end_connections(&self) {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        self.database.client().await.query(end, &[]).await.unwrap();
    }
}

async fn diagnose(store: PostgresStore) -> HealthReport {
    let layer: BetterAuthLayer = builder(store).build().unwrap();
    layer.authenticator().diagnose().await
}

fn says(diagnosis: &HealthReport, what: &str) -> String {
    let mut findings = diagnosis.checks().iter();
    let finding = findings.find(|finding| finding.subject() == what);
    let finding = finding.unwrap_or_else(|| panic!("nothing about {what} in\n{diagnosis}"));
    assert_eq!(finding.status(), CheckStatus::Ok, "{finding}");
    finding.message().to_owned()
}

#[tokio::test]
async fn hosts_are_verified_and_prepared() {
    let compute = Compute::start().await;
    for query in [
        "sslmode=require&channel_binding=require",
        "sslmode=verify-full&channel_binding=require",
        // TLS is the default for a remote host.
        "channel_binding=require",
    ] {
        let store = compute.direct(query).build().unwrap();
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND, "{query}");
        let diagnosis = diagnose(store).await;
        assert!(says(&diagnosis, "connection").starts_with("is encrypted"));
        assert!(says(&diagnosis, "statements").starts_with("are prepared"));
    }
    for query in ["sslmode=require", "sslmode=verify-full", "channel_binding=prefer"] {
        let store = compute.pooled(query).build().unwrap();
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND, "{query}");
        let diagnosis = diagnose(store).await;
        assert!(says(&diagnosis, "connection").starts_with("is encrypted"));
        assert!(says(&diagnosis, "statements").starts_with("are not prepared"));
    }
    // The certificate is for the other host.
    let crossed = compute.url(POOLED, compute.cluster.port(), "sslmode=require");
    let error = error_for_ada(&PostgresStore::builder(&crossed).build().unwrap()).await;
    assert!(everything(&error).contains("certificate"), "{error:?}");
}

/// A server without channel binding may be a man in the middle.
#[tokio::test]
async fn channel_binding_is_enforced() {
    let compute = Compute::start().await;
    for builder in [
        compute.direct("sslmode=disable&channel_binding=require"),
        // PgBouncer does not support channel binding.
        compute.pooled("sslmode=require&channel_binding=require"),
    ] {
        let store = builder.query_timeout(Duration::from_secs(30)).build().unwrap();
        let started = Instant::now();
        let error = error_for_ada(&store).await;
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let text = everything(&error);
        assert!(text.contains("channel binding"), "{text}");
        let answer = App::new(store).send(&token_for("ada@example.com")).await;
        answer.assert_rejected("no binding", Unavailable);
    }
}

/// Neon selects the compute by the server name of the TLS handshake.
#[tokio::test]
async fn server_name_is_sent() {
    let compute = Compute::start().await;
    let (port, hello) = listens_in(compute.cluster.port().unwrap()).await;
    let url = compute.url(DIRECT, Some(port), "sslmode=require");
    let store = PostgresStore::builder(&url).build().unwrap();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
    let hello = hello.lock().unwrap().clone();
    let name = DIRECT.as_bytes();
    assert!(hello.windows(name.len()).any(|window| window == name));
}

/// A proxy that keeps the beginning of the first TLS handshake.
async fn listens_in(server: u16) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hello = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let mut request = [0; 8];
            client.read_exact(&mut request).await.unwrap();
            server.write_all(&request).await.unwrap();
            let answer = server.read_u8().await.unwrap();
            client.write_u8(answer).await.unwrap();
            let mut beginning = vec![0; 4096];
            let length = client.read(&mut beginning).await.unwrap();
            beginning.truncate(length);
            server.write_all(&beginning).await.unwrap();
            hello.lock().unwrap().extend(beginning);
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (port, heard)
}

/// The first lookup waits for the start and succeeds.
#[tokio::test]
async fn sleeping_database_is_awaited() {
    let compute = Compute::start().await;
    let token = token_for("ada@example.com");
    // Longer than the start takes on a loaded machine.
    let deadline = Duration::from_secs(60);
    let store = compute.direct("sslmode=require&channel_binding=require");
    let store = store.query_timeout(deadline).build().unwrap();
    let app = App::of(builder(store.clone()).lookup_timeout(deadline));
    let pooled = compute.pooled("sslmode=require").query_timeout(deadline);
    let through_pooler = App::of(builder(pooled.build().unwrap()).lookup_timeout(deadline));
    for (name, app) in [("direct", &app), ("pooled", &through_pooler)] {
        app.accepts(&token, name, "usr_ada", "ses_ada").await;
        for _ in 0..3 {
            compute.end_connections().await;
            let answer = app.send(&token).await;
            answer.assert_identity(name, "usr_ada", "ses_ada");
        }
    }

    compute.cluster.stop_fast().await;
    // The readiness check does not wait.
    assert!(store.ready().await.is_err());
    let start = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        compute.cluster.start_again().await;
    };
    let (answer, ()) = tokio::join!(app.send(&token), start);
    answer.assert_identity("woken", "usr_ada", "ses_ada");

    // PgBouncer keeps reporting the missing server for a while, which is a `503`.
    let began = Instant::now();
    loop {
        let answer = through_pooler.send(&token).await;
        if answer.kind.is_none() {
            answer.assert_identity("through the pooler", "usr_ada", "ses_ada");
            break;
        }
        answer.assert_rejected("through the pooler", Unavailable);
        assert!(began.elapsed() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
