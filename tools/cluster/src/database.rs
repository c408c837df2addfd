//! A database of a test, and errors with details.

use std::{
    error::Error,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio_postgres::{Client, NoTls, error::SqlState};

/// A database of this age belongs to no running test.
const STALE: Duration = Duration::from_secs(60 * 60);

/// An empty database. It lives as long as its cluster.
#[derive(Debug, Clone)]
pub struct Database {
    name: String,
    url: String,
    tcp_url: Option<String>,
}

impl Database {
    /// Creates a database through the maintenance database `admin_url`. `urls` returns its URL and
    /// its TCP URL.
    pub(super) async fn create(
        admin_url: &str,
        urls: impl FnOnce(&str) -> (String, Option<String>),
    ) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bat_{}_{}_{count}", unix_seconds(), process::id());
        let client = connect(admin_url, "the maintenance database").await;
        // template0 has no connections, so it can always be copied.
        let statement = format!("CREATE DATABASE \"{name}\" TEMPLATE template0");
        if let Err(error) = client.batch_execute(&statement).await {
            let advice = match error.code() {
                Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                    "\nThe user of TEST_DATABASE_URL must be able to create databases: ALTER ROLE … CREATEDB."
                }
                _ => "",
            };
            panic!(
                "cannot create a database for this test: {}{advice}",
                describe(&error)
            );
        }
        let (url, tcp_url) = urls(&name);
        Self { name, url, tcp_url }
    }

    /// Its name, `bat_<unix seconds>_<process id>_<count>`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL: the unix socket of a throw-away cluster, or `TEST_DATABASE_URL` with this database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The TCP URL with a password, for clusters with [`tcp`](super::ClusterOptions::tcp) or a
    /// certificate.
    #[must_use]
    pub fn tcp_url(&self) -> &str {
        self.tcp_url
            .as_deref()
            .expect("this cluster listens on no TCP port: start an OwnCluster with `tcp` or `tls`")
    }

    /// A new connection without TLS, driven by a task of the current runtime.
    pub async fn client(&self) -> Client {
        connect(&self.url, &self.name).await
    }

    /// Runs statements on a new connection.
    pub async fn execute(&self, sql: &str) {
        if let Err(error) = self.client().await.batch_execute(sql).await {
            panic!(
                "{} rejected the statements: {}\n{sql}",
                self.name,
                describe(&error)
            );
        }
    }
}

/// All details of a tokio-postgres error, whose text is often just "db error".
#[must_use]
pub fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        let mut text = format!("{} {}: {}", db.severity(), db.code().code(), db.message());
        for (title, more) in [
            ("detail", db.detail()),
            ("hint", db.hint()),
            ("where", db.where_()),
        ] {
            if let Some(more) = more {
                text.push_str(&format!("; {title}: {more}"));
            }
        }
        return text;
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// Drops databases that test processes left on a foreign server more than an hour ago.
pub(super) async fn drop_stale(admin_url: &str) {
    let client = connect(admin_url, "TEST_DATABASE_URL").await;
    let rows = client
        .query(
            "SELECT datname::text FROM pg_database WHERE datname LIKE 'bat\\_%'",
            &[],
        )
        .await
        .unwrap_or_else(|error| {
            panic!(
                "cannot list the databases of TEST_DATABASE_URL: {}",
                describe(&error)
            )
        });
    let now = unix_seconds();
    for name in rows.iter().map(|row| row.get::<_, String>(0)) {
        if made_at(&name).is_some_and(|then| now.saturating_sub(then) > STALE.as_secs()) {
            // Another test process may drop it at the same time, or may own it. Neither is an
            // error.
            let _ = client
                .batch_execute(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))
                .await;
        }
    }
}

async fn connect(url: &str, what: &str) -> Client {
    match tokio_postgres::connect(url, NoTls).await {
        Ok((client, connection)) => {
            // The client gets the error as well.
            tokio::spawn(connection);
            client
        }
        Err(error) => panic!("cannot connect to {what}: {}", describe(&error)),
    }
}

/// The seconds in `bat_<seconds>_<process id>_<count>`, or `None` for other names.
fn made_at(name: &str) -> Option<u64> {
    let parts: Vec<u64> = name
        .strip_prefix("bat_")?
        .split('_')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match parts[..] {
        [seconds, _, _] => Some(seconds),
        _ => None,
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ours_have_an_age() {
        assert_eq!(made_at("bat_1795449600_17_0"), Some(1_795_449_600));
        for foreign in [
            "bat_keepme",
            "bat_1_2",
            "bat_1_2_3_4",
            "bat_1_x_3",
            "bath",
            "bat_",
        ] {
            assert_eq!(made_at(foreign), None, "{foreign}");
        }
    }
}
