//! TLS to the server: verified or not used.

use std::path::PathBuf;
use std::time::Instant;
use support::prelude::*;

use cluster::{CertificateAuthority, ClusterOptions, Database, OwnCluster};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::fixtures::{ADA, ADA_FOUND, Types, ask_for_ada, error_for_ada, everything, own_server};

/// A server with a certificate for a name, and its root file.
struct Secured {
    cluster: OwnCluster,
    database: Database,
    folder: TemporaryFolder,
}

impl Secured {
    async fn with_name(name: &str) -> Self {
        let authority = CertificateAuthority::new();
        let cluster = OwnCluster::start(ClusterOptions {
            tls: Some(authority.issue(&[name])),
            ..ClusterOptions::default()
        })
        .await;
        let database = cluster.create_database().await;
        database.execute(&Types::USUAL.ddl()).await;
        database.execute(&ADA.join(";")).await;
        let folder = TemporaryFolder::new();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let other = CertificateAuthority::new();
        std::fs::write(folder.path().join("other.pem"), other.pem()).unwrap();
        Self { cluster, database, folder }
    }

    fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn other_authority(&self) -> PathBuf {
        self.folder.path().join("other.pem")
    }

    /// The URL with this query.
    fn url(&self, query: &str) -> String {
        let url = format!("{}?{query}", self.database.tcp_url());
        url.replace("CA", self.authority().to_str().unwrap())
            .replace("OTHER", self.other_authority().to_str().unwrap())
    }

    /// Whether each connection of the store is encrypted.
    async fn encrypted(&self) -> Vec<bool> {
        let rows = self
            .database
            .client()
            .await
            .query(
                "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'better-auth-layer'",
                &[],
            )
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// A deadline that is never reached.
const LONG: Duration = Duration::from_secs(30);

async fn assert_rejected_at_once(builder: PostgresStoreBuilder, what: &str, says: &str) {
    let store = builder.query_timeout(LONG).build().unwrap();
    let started = Instant::now();
    let error = error_for_ada(&store).await;
    assert!(started.elapsed() < LONG / 4, "{what}");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{what}");
    let text = everything(&error);
    assert!(text.contains(says), "{what}: {text}");
    assert!(!text.contains("localhost"), "{what}: {text}");
}

#[tokio::test]
async fn custom_roots_are_used() {
    let secured = Secured::with_name("localhost").await;
    let builder = |query: &str| PostgresStore::builder(&secured.url(query));
    for builder in [
        builder("sslmode=verify-full&sslrootcert=CA"),
        builder("sslmode=require&sslrootcert=CA"),
        builder("ssl=true&sslrootcert=CA&channel_binding=require"),
        builder("sslmode=require").root_certificates(secured.authority()),
        builder("sslmode=require&sslrootcert=OTHER").root_certificates(secured.authority()),
    ] {
        let store = builder.build().unwrap();
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
        assert_eq!(secured.encrypted().await, [true]);
        drop(store);
        while !secured.encrypted().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for (what, builder) in [
        ("public authorities", builder("sslmode=require")),
        ("wrong authority", builder("sslmode=require&sslrootcert=OTHER")),
        ("verify-full", builder("sslmode=verify-full&sslrootcert=OTHER")),
        (
            "wrong authority",
            builder("sslmode=require&sslrootcert=CA").root_certificates(secured.other_authority()),
        ),
    ] {
        assert_rejected_at_once(builder, what, "certificate").await;
    }
}

#[tokio::test]
async fn wrong_host_is_rejected() {
    let secured = Secured::with_name("database.example.com").await;
    for query in ["sslmode=require&sslrootcert=CA", "sslmode=verify-full&sslrootcert=CA"] {
        let builder = PostgresStore::builder(&secured.url(query));
        assert_rejected_at_once(builder, query, "certificate").await;
    }
    // The host of the URL is verified, regardless of `hostaddr`.
    let url = secured.url("sslmode=require&sslrootcert=CA&hostaddr=127.0.0.1");
    let url = url.replace("@localhost:", "@database.example.com:");
    let store = PostgresStore::builder(&url).build().unwrap();
    assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
}

#[tokio::test]
async fn local_host_needs_no_tls() {
    let secured = Secured::with_name("localhost").await;
    for query in ["sslmode=disable", "sslmode=prefer", "application_name=better-auth-layer"] {
        let store = PostgresStore::builder(&secured.url(query)).build().unwrap();
        assert_eq!(ask_for_ada(&store).await, ADA_FOUND);
        assert_eq!(secured.encrypted().await, [false], "{query}");
        drop(store);
        while !secured.encrypted().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    // Another host is not accepted, even with a local IP address.
    let elsewhere = secured.url("hostaddr=127.0.0.1").replace("@localhost:", "@db.internal:");
    let store = PostgresStore::builder(&elsewhere).build().unwrap();
    assert_eq!(store_error(&store).await, StoreErrorKind::Unavailable);
    assert!(secured.encrypted().await.is_empty());
}

async fn store_error(store: &PostgresStore) -> StoreErrorKind {
    error_for_ada(store).await.kind()
}

#[tokio::test]
async fn missing_tls_is_explained() {
    let database = own_server().await.create_database().await;
    let url = format!("{}?sslmode=require", database.tcp_url());
    assert_rejected_at_once(PostgresStore::builder(&url), "no TLS", "sslmode=disable").await;
    // TLS is the default for a host name that is not local.
    let url = format!("{}?hostaddr=127.0.0.1", database.tcp_url());
    let url = url.replace("@localhost:", "@db.internal:");
    assert_rejected_at_once(PostgresStore::builder(&url), "elsewhere", "sslmode=disable").await;
}

#[tokio::test]
async fn empty_root_file_is_an_error() {
    let folder = TemporaryFolder::new();
    let url = "postgres://u@db.example.com/d";
    for (name, content) in [
        ("empty.pem", ""),
        ("text.pem", "hello"),
        ("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let store = PostgresStore::builder(url).root_certificates(&path).build();
        assert_eq!(store.unwrap_err().setting(), "sslrootcert", "{name}");
    }
    let missing = folder.path().join("missing.pem");
    let url = format!("{url}?sslrootcert={}", missing.display());
    let error = PostgresStore::builder(&url).build().unwrap_err();
    assert_eq!(error.setting(), "sslrootcert");
}

/// A proxy that breaks connections during the TLS handshake: the first ones, or all.
async fn broken_handshakes(server: u16, broken: usize) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for connection in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            if connection < broken {
                let mut request = [0; 8];
                client.read_exact(&mut request).await.unwrap();
                client.write_all(b"S").await.unwrap();
                continue;
            }
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn broken_handshake_is_retried() {
    let secured = Secured::with_name("localhost").await;
    let port = secured.cluster.port().unwrap();
    let through = async |broken| {
        let proxy = broken_handshakes(port, broken).await;
        let url = secured.url("sslmode=require&sslrootcert=CA");
        let url = url.replace(&format!(":{port}/"), &format!(":{proxy}/"));
        let builder = PostgresStore::builder(&url).max_connections(1);
        builder.query_timeout(Duration::from_secs(2)).build().unwrap()
    };
    assert_eq!(ask_for_ada(&through(2).await).await, ADA_FOUND);
    let error = error_for_ada(&through(usize::MAX).await).await;
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    let text = everything(&error);
    assert!(text.contains("TLS handshake"), "{text}");
}
