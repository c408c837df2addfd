//! The server under test.

use std::process::Stdio;

use http::Method;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::SECRET;
use crate::http::{Answer, send};
use crate::issuer::Issuer;

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    _process: Child,
}

impl Server {
    /// Starts a server on the database of a deployment, with its URL.
    pub(crate) async fn start(database_url: &str, issuer: &Issuer) -> Self {
        let program = std::env::var_os("CHATKIT_SERVER");
        let program = program.expect("CHATKIT_SERVER: run this with `cargo xtask interop`");
        let mut process = Command::new(program)
            .env("DATABASE_URL", database_url)
            .env("BETTER_AUTH_SECRET", SECRET)
            .env("BETTER_AUTH_URL", issuer.base_url())
            .env("BETTER_AUTH_API_KEYS", "on")
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let output = process.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(output).lines();
        let first = lines.next_line().await.expect("output");
        let first = first.expect("the server starts");
        let url = first.strip_prefix("listening on ").expect("its address");
        // Reads the output, so that the server can keep writing.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            url: url.to_owned(),
            _process: process,
        }
    }

    /// Sends a message to ChatKit.
    pub(crate) async fn hello(&self, headers: &[(&str, &str)]) -> Answer {
        let url = format!("{}/support/chatkit", self.url);
        let body = json!({ "message": "Hello" });
        send(Method::POST, &url, headers, Some(&body)).await
    }

    /// Sends a message with a bearer token.
    pub(crate) async fn hello_with_token(&self, token: &str) -> Answer {
        let value = format!("Bearer {token}");
        self.hello(&[("authorization", &value)]).await
    }
}
