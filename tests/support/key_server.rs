//! A key endpoint whose responses a test selects.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use cluster::ServerCertificate;

/// The response of the endpoint.
#[derive(Clone, Debug)]
pub enum Reply {
    /// `200` with this body.
    Body(String),
    /// `200` with further header lines, each with its line break, and this body.
    Headed(String, String),
    /// Another status, with this body, which is the `location` as well.
    Status(u16, String),
    /// Bytes that are no HTTP.
    Garbage,
    /// The connection is closed without a response.
    Nothing,
    /// The request is read, and no response is sent.
    Silence,
    /// A body that is sent slowly, byte by byte.
    Drip(String),
    /// A body without an end.
    Endless,
}

/// A key endpoint. It stops when it is dropped.
#[derive(Debug)]
pub struct KeyServer {
    address: SocketAddr,
    scheme: &'static str,
    reply: Arc<Mutex<Reply>>,
    requests: Arc<Mutex<Vec<String>>>,
    task: Mutex<JoinHandle<()>>,
}

impl KeyServer {
    /// Listens on a free port.
    pub async fn start(reply: Reply) -> Self {
        Self::listen(reply, None).await
    }

    /// Listens with TLS.
    pub async fn start_with_tls(reply: Reply, certificate: &ServerCertificate) -> Self {
        let chain = CertificateDer::pem_slice_iter(certificate.cert_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::listen(reply, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(reply: Reply, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reply = Arc::new(Mutex::new(reply));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let task = tokio::spawn(accept(listener, tls, Arc::clone(&reply), Arc::clone(&requests)));
        Self { address, scheme, reply, requests, task: Mutex::new(task) }
    }

    /// Rejects connections from now on.
    pub fn stop_listening(&self) {
        self.task.lock().unwrap().abort();
    }

    /// Listens on the same port again, without TLS.
    pub async fn listen_again(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let (answers, seen) = (Arc::clone(&self.reply), Arc::clone(&self.requests));
        *self.task.lock().unwrap() = tokio::spawn(accept(listener, None, answers, seen));
    }

    /// Sets the response from now on.
    pub fn reply(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    /// The URL of the key set.
    pub fn url(&self) -> String {
        format!("{}/api/auth/jwks", self.origin())
    }

    /// The origin, with the host `localhost`.
    pub fn origin(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    /// The heads of all requests.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The number of requests.
    pub fn hits(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.stop_listening();
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    reply: Arc<Mutex<Reply>>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (reply, requests) = (Arc::clone(&reply), Arc::clone(&requests));
        tokio::spawn(connection(stream, tls.clone(), reply, requests));
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    reply: Arc<Mutex<Reply>>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    // A client that disconnects or rejects the certificate is no error.
    let _ = match tls {
        None => answer(stream, &reply, &requests).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => answer(stream, &reply, &requests).await,
            Err(error) => Err(error),
        },
    };
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    reply: &Mutex<Reply>,
    requests: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    requests.lock().unwrap().push(String::from_utf8(head).unwrap());
    let reply = reply.lock().unwrap().clone();
    let ok = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    match reply {
        Reply::Body(body) => stream.write_all((ok(body.len()) + &body).as_bytes()).await?,
        Reply::Headed(lines, body) => {
            let text =
                format!("HTTP/1.1 200 OK\r\n{lines}content-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(text.as_bytes()).await?;
        }
        Reply::Status(status, body) => {
            let text = format!(
                "HTTP/1.1 {status} Reason\r\nlocation: {body}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(text.as_bytes()).await?;
        }
        Reply::Garbage => stream.write_all(b"\x00\x01SSH-2.0-nothing\r\n\r\n").await?,
        Reply::Nothing => {}
        Reply::Silence => std::future::pending().await,
        Reply::Drip(body) => {
            stream.write_all(ok(body.len()).as_bytes()).await?;
            for byte in body.bytes() {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        }
    }
    stream.flush().await?;
    stream.shutdown().await
}
