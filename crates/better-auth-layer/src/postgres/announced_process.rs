//! The server process that a connection was announced to be.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// Length, code, process id, secret.
const CANCEL_REQUEST: usize = 16;
const CANCEL_REQUEST_CODE: u32 = 80_877_102;

/// Room for a request for TLS as well.
const ROOM: usize = 256;

/// The process id that came with the connection's secret when it was made.
///
/// The driver keeps it to itself and says it in one place only: in the request to cancel a query. So it writes one here,
/// into a stream that leads nowhere.
pub(super) async fn announced_process(token: &CancelToken) -> Option<i32> {
    let (mut nowhere, stream) = duplex(ROOM);
    // The answer to a request for TLS, where there will be one.
    nowhere.write_all(b"S").await.ok()?;
    token.cancel_query_raw(stream, NoHandshake).await.ok()?;
    let mut written = Vec::new();
    nowhere.read_to_end(&mut written).await.ok()?;
    process_of(&written)
}

fn process_of(written: &[u8]) -> Option<i32> {
    let start = written.len().checked_sub(CANCEL_REQUEST)?;
    let mut words = written
        .get(start..)?
        .chunks_exact(4)
        .map(|word| <[u8; 4]>::try_from(word).map(u32::from_be_bytes));
    let (length, code) = (words.next()?.ok()?, words.next()?.ok()?);
    let process = words.next()?.ok()?;
    let is_request = usize::try_from(length).ok()? == CANCEL_REQUEST && code == CANCEL_REQUEST_CODE;
    is_request.then_some(process.cast_signed())
}

/// Takes a stream for encrypted as it is.
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
    fn nothing_but_a_cancel_request_names_a_process() {
        let request = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\x12\x34SECR";
        assert_eq!(process_of(request), Some(0x1234));
        let behind_tls = [b"\0\0\0\x08\x04\xd2\x16\x2f", &request[..]].concat();
        assert_eq!(process_of(&behind_tls), Some(0x1234));
        assert_eq!(process_of(&request[..15]), None);
        assert_eq!(
            process_of(b"\0\0\0\x10\x04\xd2\x16\x2f\0\0\x12\x34SECR"),
            None
        );
        assert_eq!(process_of(b""), None);
    }
}
