//! Connections on which statements may be prepared.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, StatementCache};
use tokio::time::timeout;

use super::announced_process::announced_process;
use super::statements::StatementMode;
use crate::diagnostics::Check;

/// Knows the connections that lead straight to a process of the server, by the one thing that belongs to each for life:
/// its cache of prepared statements.
pub(super) struct Direct {
    statements: StatementMode,
    /// How long a proof may take.
    patience: Duration,
    proven: Mutex<Vec<Weak<StatementCache>>>,
}

impl Direct {
    pub(super) fn new(statements: StatementMode, patience: Duration) -> Self {
        Self {
            statements,
            patience,
            proven: Mutex::default(),
        }
    }

    /// Tries the proof on a new connection, before it is used. Without one, the connection is as good for everything
    /// else.
    pub(super) async fn try_to_prove(&self, client: &ClientWrapper) {
        if self.statements == StatementMode::Auto
            && let Ok(true) = timeout(self.patience, is_direct(client)).await
        {
            let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
            proven.retain(|cache| cache.strong_count() > 0);
            proven.push(Arc::downgrade(&client.statement_cache));
        }
    }

    /// What is done about statements on a connection, and whether that is right.
    pub(super) async fn describe(&self, client: &ClientWrapper) -> Check {
        match self.statements {
            StatementMode::Unprepared => Check::ok("statements", "are not prepared, as it was said"),
            StatementMode::Auto if self.may_prepare(client) => Check::ok(
                "statements",
                "are prepared: the connection leads straight to the server",
            ),
            StatementMode::Auto => Check::ok(
                "statements",
                "are not prepared: the connection leads through a pooler, or was not proven to lead to the server",
            ),
            StatementMode::Prepared => match timeout(self.patience, is_direct(client)).await {
                Ok(true) => Check::ok("statements", "are prepared, as it was said"),
                _ => Check::warning(
                    "statements",
                    "are prepared, as it was said, on a connection that may lead through a pooler: one in transaction mode answers them with another client's",
                )
                .with_remedy("use `StatementMode::Auto`, or the server's own address"),
            },
        }
    }

    /// Whether statements may be prepared on a connection.
    pub(super) fn may_prepare(&self, client: &ClientWrapper) -> bool {
        match self.statements {
            StatementMode::Unprepared => false,
            StatementMode::Prepared => true,
            StatementMode::Auto => {
                let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
                let own = Arc::as_ptr(&client.statement_cache);
                proven.iter().any(|cache| cache.as_ptr() == own)
            }
        }
    }
}

/// Whether the process that answers is the one that was announced. A pooler, which announces none or one of its own
/// making, gives each transaction to whichever process is free; one that keeps a process for a client is no better
/// here, and loses nothing but speed.
async fn is_direct(client: &ClientWrapper) -> bool {
    let Some(announced) = announced_process(&client.cancel_token()).await else {
        return false;
    };
    let answers = client.query_typed("SELECT pg_catalog.pg_backend_pid()", &[]);
    match answers.await.as_deref() {
        Ok([row]) => row
            .try_get(0)
            .is_ok_and(|process: i32| process == announced),
        _ => false,
    }
}
