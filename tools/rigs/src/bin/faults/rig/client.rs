//! An HTTP/1.1 client for one keep-alive connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any response may take.
const PATIENCE: Duration = Duration::from_secs(20);

const BODY: &str = r#"{"message":"Hello"}"#;

/// A request to the protected route with additional header lines.
pub(crate) fn post(headers: &str) -> Vec<u8> {
    let length = BODY.len();
    format!(
        "POST /support/chatkit HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{BODY}"
    )
    .into_bytes()
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply<'c> {
    pub(crate) status: u16,
    pub(crate) body: &'c str,
}

/// A connection to the server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await;
        let stream = stream
            .map_err(|_| "does not take the connection".to_owned())?
            .map_err(|error| format!("does not take the connection: {error}"))?;
        let _ = stream.set_nodelay(true);
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends a request and reads the whole response.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Reply<'_>, String> {
        let exchange = timeout(PATIENCE, self.exchange(request)).await;
        let (status, body) =
            exchange.map_err(|_| format!("does not answer in {} s", PATIENCE.as_secs()))??;
        let body = std::str::from_utf8(&self.buffer[body..]).map_err(|_| "answers with no text")?;
        Ok(Reply { status, body })
    }

    /// Sends a part of a request.
    pub(crate) async fn send(&mut self, part: &[u8]) -> Result<(), String> {
        let sent = self.stream.write_all(part).await;
        sent.map_err(|error| format!("hangs up: {error}"))
    }

    /// Waits until the server closes the connection.
    pub(crate) async fn closed(&mut self) {
        let mut rest = [0; 1024];
        while let Ok(1..) = self.stream.read(&mut rest).await {}
    }

    /// The status of the response, and the start of its body.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize), String> {
        // A server that rejects a head need not read all of it.
        let sent = self.send(request).await;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await;
            match (read, &sent) {
                (Ok(1..), _) => {}
                (Ok(_), Ok(())) => return Err("hangs up without an answer".to_owned()),
                (Err(error), Ok(())) => return Err(format!("hangs up: {error}")),
                (_, Err(error)) => return Err(error.clone()),
            }
            if let Some((status, begin, end)) = head(&self.buffer)?
                && self.buffer.len() >= end
            {
                self.buffer.truncate(end);
                return Ok((status, begin));
            }
        }
    }
}

/// The status, and the start and end of the body, of a complete head.
fn head(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "answers with no text")?;
    let status = head.get(9..12).and_then(|text| text.parse().ok());
    let status = status.ok_or("answers without a status")?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .ok_or("answers without a content-length")?;
    Ok(Some((status, end + 4, end + 4 + length)))
}
