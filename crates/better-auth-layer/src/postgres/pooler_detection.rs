//! Detects poolers between the store and the server, and decides whether statements are prepared.
//!
//! A prepared statement saves planning, which costs the server more than the lookup. But it belongs
//! to one server process, and a pooler in transaction mode gives that process to other clients
//! between two statements. A connection is direct if the process that answers a query has the id
//! that was announced when the connection was opened; a pooler announces an invented id or
//! none. tokio-postgres does not expose the announced id, so it is read from a cancel request that
//! is written to memory instead of the server.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, StatementCache};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::timeout;
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use crate::diagnostics::Check;

/// Whether a [`PostgresStore`](crate::postgres::PostgresStore) prepares its statements; set with
/// [`statement_mode`](crate::postgres::PostgresStoreBuilder::statement_mode).
///
/// A prepared statement saves the database the planning, which costs more than the lookup. But the
/// statement belongs to a server connection, and a pooler in transaction mode (PgBouncer, Neon's
/// `-pooler` hosts) gives that connection to other clients between two statements. The statement is
/// then missing, or another client's statement of the same name returns a wrong row without an
/// error. The default therefore prepares statements on direct connections only.
///
/// ```
/// use better_auth_layer::postgres::{PostgresStore, StatementMode};
///
/// let store = PostgresStore::builder("postgres://app:secret@localhost/app")
///     .statement_mode(StatementMode::Unprepared)
///     .build()?;
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementMode {
    /// Prepares statements on each connection that is detected as direct: the server process that
    /// answers has the id that was announced when the connection was opened. A pooler announces
    /// another id.
    #[default]
    Auto,
    /// Never prepares statements. The server plans every query. Works through every pooler.
    Unprepared,
    /// Always prepares statements. For direct connections that are not detected as direct, and for
    /// poolers that keep the prepared statements of clients separate (PgBouncer 1.21 or later with
    /// `max_prepared_statements` above 0).
    ///
    /// Through any other pooler in transaction mode, **lookups fail or return the rows of another
    /// client's statement**. The layer rejects rows that do not match the lookup, but cannot detect
    /// a forged row.
    Prepared,
}

/// The open connections that are detected as direct, identified by their statement caches: each
/// connection has one for its whole life.
pub(super) struct DirectConnections {
    mode: StatementMode,
    /// The timeout of one detection.
    timeout: Duration,
    detected: Mutex<Vec<Weak<StatementCache>>>,
}

impl DirectConnections {
    pub(super) fn new(mode: StatementMode, timeout: Duration) -> Self {
        Self {
            mode,
            timeout,
            detected: Mutex::default(),
        }
    }

    /// Examines a new connection. A connection that is not detected as direct is used without
    /// prepared statements.
    pub(super) async fn detect(&self, client: &ClientWrapper) {
        if self.mode == StatementMode::Auto
            && let Ok(true) = timeout(self.timeout, is_direct(client)).await
        {
            let mut detected = self.detected.lock().unwrap_or_else(PoisonError::into_inner);
            detected.retain(|cache| cache.strong_count() > 0);
            detected.push(Arc::downgrade(&client.statement_cache));
        }
    }

    /// Reports whether statements are prepared on a connection, and warns if that is unsafe.
    pub(super) async fn check(&self, client: &ClientWrapper) -> Check {
        match self.mode {
            StatementMode::Unprepared => {
                Check::ok("statements", "are not prepared, as configured")
            }
            StatementMode::Auto if self.may_prepare(client) => {
                Check::ok("statements", "are prepared: the connection is direct")
            }
            StatementMode::Auto => Check::ok(
                "statements",
                "are not prepared: the connection goes through a pooler, or was not detected as direct",
            ),
            StatementMode::Prepared => match timeout(self.timeout, is_direct(client)).await {
                Ok(true) => Check::ok("statements", "are prepared, as configured"),
                _ => Check::warning(
                    "statements",
                    "are prepared, as configured, but the connection may go through a pooler: in transaction mode it may run the statement of another client",
                )
                .with_remedy("use `StatementMode::Auto`, or connect to the server directly"),
            },
        }
    }

    /// Whether statements may be prepared on a connection.
    pub(super) fn may_prepare(&self, client: &ClientWrapper) -> bool {
        match self.mode {
            StatementMode::Unprepared => false,
            StatementMode::Prepared => true,
            StatementMode::Auto => {
                let detected = self.detected.lock().unwrap_or_else(PoisonError::into_inner);
                let own = Arc::as_ptr(&client.statement_cache);
                detected.iter().any(|cache| cache.as_ptr() == own)
            }
        }
    }
}

/// Whether the process that answers is the announced one. A pooler in session mode is not detected
/// as direct either, which only costs speed.
async fn is_direct(client: &ClientWrapper) -> bool {
    let Some(announced) = announced_backend_pid(&client.cancel_token()).await else {
        return false;
    };
    let query = client.query_typed("SELECT pg_catalog.pg_backend_pid()", &[]);
    match query.await.as_deref() {
        Ok([row]) => row.try_get(0).is_ok_and(|pid: i32| pid == announced),
        _ => false,
    }
}

/// Length, code, process id, secret.
const CANCEL_REQUEST_LENGTH: usize = 16;
const CANCEL_REQUEST_CODE: u32 = 80_877_102;

/// Enough for a TLS request and a cancel request.
const BUFFER_LENGTH: usize = 256;

/// The process id that the server or pooler announced when the connection was opened.
async fn announced_backend_pid(token: &CancelToken) -> Option<i32> {
    let (mut memory, stream) = duplex(BUFFER_LENGTH);
    // The response to a TLS request, if the driver sends one.
    memory.write_all(b"S").await.ok()?;
    token.cancel_query_raw(stream, NoHandshake).await.ok()?;
    let mut written = Vec::new();
    memory.read_to_end(&mut written).await.ok()?;
    backend_pid(&written)
}

/// Reads the process id from a cancel request at the end of the written bytes.
fn backend_pid(written: &[u8]) -> Option<i32> {
    let start = written.len().checked_sub(CANCEL_REQUEST_LENGTH)?;
    let mut words = written
        .get(start..)?
        .chunks_exact(4)
        .map(|word| <[u8; 4]>::try_from(word).map(u32::from_be_bytes));
    let (length, code) = (words.next()?.ok()?, words.next()?.ok()?);
    let pid = words.next()?.ok()?;
    let is_cancel_request =
        usize::try_from(length).ok()? == CANCEL_REQUEST_LENGTH && code == CANCEL_REQUEST_CODE;
    is_cancel_request.then_some(pid.cast_signed())
}

/// Accepts a stream as encrypted without a handshake.
struct NoHandshake;

impl TlsConnect<DuplexStream> for NoHandshake {
    type Stream = Unencrypted;
    type Error = io::Error;
    type Future = Ready<Result<Unencrypted, io::Error>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        ready(Ok(Unencrypted(stream)))
    }
}

struct Unencrypted(DuplexStream);

impl TlsStream for Unencrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Unencrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Unencrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pid_is_read_from_cancel_requests_only() {
        let request = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\x12\x34SECR";
        assert_eq!(backend_pid(request), Some(0x1234));
        let after_tls_request = [b"\0\0\0\x08\x04\xd2\x16\x2f", &request[..]].concat();
        assert_eq!(backend_pid(&after_tls_request), Some(0x1234));
        assert_eq!(backend_pid(&request[..15]), None);
        let other_code = b"\0\0\0\x10\x04\xd2\x16\x2f\0\0\x12\x34SECR";
        assert_eq!(backend_pid(other_code), None);
        assert_eq!(backend_pid(b""), None);
    }
}
