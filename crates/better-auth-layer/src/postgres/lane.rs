//! A lane: several lookups on one connection at a time.

use std::sync::Weak;

use tokio::sync::Mutex;

use super::connections::{Connection, Terms};
use super::last_refusal::LastRefusal;
use super::link::Link;
use crate::store::StoreError;

/// Lends out one connection of the pool to all who come while somebody has it. Between lookups it is in the pool.
#[derive(Default)]
pub(super) struct Lane {
    /// Locked while a connection is borrowed or made, so that those who come meanwhile share it.
    current: Mutex<Weak<Link>>,
}

impl Lane {
    pub(super) async fn acquire(
        &self,
        terms: Terms<'_>,
        last_refusal: &LastRefusal,
    ) -> Result<Connection, StoreError> {
        let mut current = self.current.lock().await;
        let shared = current
            .upgrade()
            // Lookups that follow each other without a gap must not keep the connection from others who want one.
            .filter(|_| terms.access.pool.status().waiting == 0)
            .and_then(|link| Connection::join(link, terms));
        if let Some(connection) = shared {
            return Ok(connection);
        }
        let connection = Connection::acquire(terms, last_refusal).await?;
        *current = connection.share();
        Ok(connection)
    }
}
