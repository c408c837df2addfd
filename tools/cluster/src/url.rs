//! Connection URLs of throw-away clusters, and of other databases on the server of
//! `TEST_DATABASE_URL`.

use std::{fmt::Write, os::unix::ffi::OsStrExt, path::Path};

/// The socket and the port of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Address {
    socket: String,
    tcp: Option<String>,
    port: u16,
}

impl Address {
    /// The socket only.
    pub(super) fn socket(directory: &Path) -> Self {
        Self {
            socket: format!("?host={}", percent_encode(directory.as_os_str().as_bytes())),
            tcp: None,
            port: 5432,
        }
    }

    /// The socket and 127.0.0.1, with a host name for certificates.
    pub(super) fn tcp(directory: &Path, port: u16, password: &str) -> Self {
        let Self { socket, .. } = Self::socket(directory);
        Self {
            socket: format!("{socket}&port={port}"),
            tcp: Some(format!("postgres://postgres:{password}@localhost:{port}")),
            port,
        }
    }

    /// The URL of a database through the socket.
    pub(super) fn socket_url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}{}", self.socket)
    }

    /// The URL of a database through TCP, with the password.
    pub(super) fn tcp_url(&self, database: &str) -> Option<String> {
        Some(format!("{}/{database}", self.tcp.as_ref()?))
    }

    /// The TCP port, if it listens there.
    pub(super) fn port(&self) -> Option<u16> {
        self.tcp.is_some().then_some(self.port)
    }
}

/// The same URL (or `key=value` text) for another database.
pub(super) fn with_database(url: &str, database: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // The last `dbname` is used.
        return format!("{url} dbname={database}");
    };
    let (before, query) = rest
        .split_once('?')
        .map_or((rest, None), |(before, query)| (before, Some(query)));
    let authority = before
        .split_once('/')
        .map_or(before, |(authority, _)| authority);
    let query = query.map_or_else(String::new, |query| {
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.starts_with("dbname="))
            .collect();
        format!("?{}", kept.join("&"))
    });
    format!("{scheme}://{authority}/{database}{query}")
}

fn percent_encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_changes() {
        for (given, wanted) in [
            (
                "postgres://u:p@h:1/old?sslmode=disable",
                "postgres://u:p@h:1/new?sslmode=disable",
            ),
            ("postgres://u@h", "postgres://u@h/new"),
            ("postgresql://u@h/old", "postgresql://u@h/new"),
            (
                "postgres://u@/old?host=/run/pg&dbname=old",
                "postgres://u@/new?host=/run/pg",
            ),
            (
                "host=/run/pg user=u dbname=old",
                "host=/run/pg user=u dbname=old dbname=new",
            ),
        ] {
            assert_eq!(with_database(given, "new"), wanted);
            let config: tokio_postgres::Config =
                wanted.parse().expect("tokio-postgres reads the URL");
            assert_eq!(config.get_dbname(), Some("new"));
        }
    }

    #[test]
    fn a_socket_directory_is_percent_encoded() {
        let address = Address::socket(Path::new("/tmp/a b&c"));
        assert_eq!(
            address.socket_url("d"),
            "postgres://postgres@/d?host=/tmp/a%20b%26c"
        );
        assert_eq!(address.tcp_url("d"), None);
    }
}
