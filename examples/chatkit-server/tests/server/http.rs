//! A minimal HTTP/1.1 client.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than any response takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A request.
#[derive(Clone)]
pub(crate) struct Request {
    head: String,
    body: String,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            head: format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n"),
            body: String::new(),
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// The request of the quickstart, without a token.
    pub(crate) fn hello() -> Self {
        let mut request =
            Self::new("POST", "/support/chatkit").header("content-type", "application/json");
        request.body = r#"{"message":"Hello"}"#.to_owned();
        request
    }

    /// A request with a reply of this many words.
    pub(crate) fn long_hello(words: usize) -> Self {
        let mut request = Self::hello();
        request.body = format!(r#"{{"message":"{}"}}"#, "a ".repeat(words).trim());
        request
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sends the request and reads the response's headers.
    pub(crate) fn open(&self, address: SocketAddr) -> Stream {
        let Self { head, body } = self;
        let length = body.len();
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let text = format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
        connection.write_all(text.as_bytes()).unwrap();
        let mut reader = BufReader::new(connection);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let status = line().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = std::iter::from_fn(|| Some(line()).filter(|line| !line.is_empty()));
        let headers = headers
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Stream {
            status,
            headers,
            reader,
        }
    }

    pub(crate) fn send(&self, address: SocketAddr) -> Answer {
        self.open(address).finish()
    }
}

/// A response whose body has not been read.
pub(crate) struct Stream {
    status: u16,
    headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
}

impl Stream {
    /// The next chunk of a chunked body, or `None` at its end.
    pub(crate) fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        self.reader.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).unwrap();
        assert_eq!(chunk.split_off(size), b"\r\n");
        Some(String::from_utf8(chunk).unwrap()).filter(|chunk| !chunk.is_empty())
    }

    pub(crate) fn finish(mut self) -> Answer {
        let chunked = self
            .headers
            .contains(&("transfer-encoding".to_owned(), "chunked".to_owned()));
        let body = if chunked {
            std::iter::from_fn(|| self.chunk()).collect()
        } else {
            let mut body = String::new();
            self.reader.read_to_string(&mut body).unwrap();
            body
        };
        Answer {
            status: self.status,
            headers: self.headers,
            body,
        }
    }
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is repeated");
        value
    }

    #[track_caller]
    pub(crate) fn assert_json(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}
