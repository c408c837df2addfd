//! Startup diagnostics of a database: server, connection, statements and tables, in this order.

use std::time::Instant as StdInstant;

use tokio::time::{Instant, timeout_at};

use super::pool::{AcquireOptions, Connection, ConnectionSource};
use super::store::LookupExecutor;
use super::url::Transport;
use crate::clock::Timestamp;
use crate::diagnostics::Check;
use crate::store::StoreError;

const VERSION: &str = "SELECT pg_catalog.current_setting('server_version')";
const TIME: &str = "SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8";

impl LookupExecutor {
    /// Stops at the first check that fails.
    pub(super) async fn diagnose(&self, deadline: Instant) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut subject = "database";
        let diagnosis = self.diagnose_all(deadline, &mut subject, &mut checks);
        let error = match timeout_at(deadline, diagnosis).await {
            Ok(Ok(())) => return checks,
            Ok(Err(error)) => error,
            Err(_) => self.last_error.timeout(),
        };
        checks.push(error.finding(subject));
        checks
    }

    async fn diagnose_all(
        &self,
        deadline: Instant,
        subject: &mut &'static str,
        checks: &mut Vec<Check>,
    ) -> Result<(), StoreError> {
        let connection = self.new_connection(deadline).await?;
        let rows = connection.query(VERSION, &[]).await?;
        let version = rows.first().and_then(|row| row.try_get(0).ok());
        let version: String = version.unwrap_or_default();
        checks.push(Check::ok(
            "database",
            format!("PostgreSQL {version} answers"),
        ));
        checks.push(transport_check(self.pool.transport));
        *subject = "statements";
        checks.push(connection.check_statements(&self.pool.direct).await?);
        *subject = "tables";
        // Replaces known tables that have changed.
        self.ready(deadline).await?;
        let tables = self.tables.get(&connection, None, None).await?;
        checks.push(Check::ok("tables", tables.schema.to_string()));
        Ok(())
    }

    pub(super) async fn server_time(
        &self,
        deadline: Instant,
    ) -> Result<Option<Timestamp>, StoreError> {
        let query = async {
            let connection = self.new_connection(deadline).await?;
            let rows = connection.query(TIME, &[]).await?;
            let seconds = rows.first().and_then(|row| row.try_get(0).ok());
            Ok(seconds.and_then(Timestamp::from_unix_seconds_f64))
        };
        let time = timeout_at(deadline, query).await;
        time.unwrap_or_else(|_| Err(self.last_error.timeout()))
    }

    /// Opens a connection, because an open one does not prove that the next attempt succeeds.
    async fn new_connection(&self, deadline: Instant) -> Result<Connection, StoreError> {
        let options = AcquireOptions {
            opened_after: Some(StdInstant::now()),
            ..self.options(ConnectionSource::Pool, deadline)
        };
        Connection::acquire(options).await
    }
}

fn transport_check(transport: Transport) -> Check {
    match transport {
        Transport::Encrypted => Check::ok(
            "connection",
            "is encrypted, and the server's certificate and host name are verified",
        ),
        Transport::Local => Check::ok("connection", "does not leave this machine"),
        Transport::ClearText => Check::warning(
            "connection",
            "is not encrypted: an attacker on the network can read and change the data",
        )
        .with_remedy("remove `sslmode=disable` from DATABASE_URL, unless the network is private"),
    }
}
