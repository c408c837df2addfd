//! What there is to say about a database before anybody is let in.

use tokio::time::{Instant, timeout_at};

use super::address::Transport;
use super::connections::{Connection, Terms};
use super::lookups::Lookups;
use crate::clock::Timestamp;
use crate::diagnostics::Check;
use crate::store::StoreError;

const VERSION: &str = "SELECT pg_catalog.current_setting('server_version')";
const TIME: &str = "SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8";

impl Lookups {
    /// Looks at the server, the connection and the tables, in this order, as far as it comes.
    pub(super) async fn diagnose(&self, until: Instant) -> Vec<Check> {
        let mut findings = Vec::new();
        let mut what = "database";
        let outcome = timeout_at(until, self.look_at_all(until, &mut what, &mut findings)).await;
        let failed = match outcome {
            Ok(Ok(())) => return findings,
            Ok(Err(error)) => error,
            Err(_) => self.last_refusal.timeout(),
        };
        findings.push(failed.finding(what));
        findings
    }

    async fn look_at_all(
        &self,
        until: Instant,
        what: &mut &'static str,
        findings: &mut Vec<Check>,
    ) -> Result<(), StoreError> {
        let connection = self.borrow(until).await?;
        let rows = connection.query(VERSION, &[]).await?;
        let version = rows.first().and_then(|row| row.try_get(0).ok());
        let version: String = version.unwrap_or_default();
        findings.push(Check::ok(
            "database",
            format!("PostgreSQL {version} answers"),
        ));
        findings.push(describe(self.access.transport));
        *what = "statements";
        findings.push(connection.describe_statements(&self.access.direct).await?);
        *what = "tables";
        // Those that are remembered may have been changed meanwhile.
        self.check(until).await?;
        let tables = self.tables.get(&connection, None, None).await??;
        findings.push(Check::ok("tables", tables.schema.to_string()));
        Ok(())
    }

    /// The server's time.
    pub(super) async fn time(&self, until: Instant) -> Result<Option<Timestamp>, StoreError> {
        let ask = async {
            let connection = self.borrow(until).await?;
            let rows = connection.query(TIME, &[]).await?;
            let seconds = rows.first().and_then(|row| row.try_get(0).ok());
            Ok(seconds.and_then(Timestamp::from_unix_seconds_f64))
        };
        let time = timeout_at(until, ask).await;
        time.unwrap_or_else(|_| Err(self.last_refusal.timeout()))
    }

    /// A new connection: those that are there say nothing about the next one, and may have been closed meanwhile.
    async fn borrow(&self, until: Instant) -> Result<Connection, StoreError> {
        let terms = Terms {
            access: &self.access,
            until,
            broken: Some(std::time::Instant::now()),
        };
        Connection::acquire(terms, &self.last_refusal).await
    }
}

fn describe(transport: Transport) -> Check {
    match transport {
        Transport::Encrypted => Check::ok(
            "connection",
            "is encrypted, and the server's certificate and name are verified",
        ),
        Transport::Local => Check::ok("connection", "does not leave this machine"),
        Transport::ClearText => Check::warning(
            "connection",
            "is not encrypted: whoever is on the way can read and change what the database says",
        )
        .with_remedy("remove `sslmode=disable` from DATABASE_URL, unless the network is private"),
    }
}
