//! A real Better Auth in a Node process.

use std::path::Path;
use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::SECRET;
use crate::browser::Browser;
use crate::http::{Answer, send};

/// A running deployment. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Issuer {
    base_url: String,
    _process: Child,
}

impl Issuer {
    /// Starts a deployment on a database.
    pub(crate) async fn start(database_url: &str, variables: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
        let mut process = Command::new("node")
            .arg("issuer.mjs")
            .current_dir(folder)
            .env("DATABASE_URL", database_url)
            .env("SECRET", SECRET)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node; `cargo xtask interop` looks for it");
        let output = process.stdout.take().expect("it is piped");
        let line = BufReader::new(output).lines().next_line().await;
        let line = line.expect("output").expect("Better Auth starts");
        let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
        Self {
            base_url: ready["baseURL"].as_str().expect("an address").to_owned(),
            _process: process,
        }
    }

    /// The base URL.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Sends a request to a route of Better Auth.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let url = format!("{}/api/auth{path}", self.base_url);
        // Like a page of the deployment.
        let mut all = vec![("origin", self.base_url.as_str())];
        all.extend(headers);
        let answer = send(method, &url, &all, body.as_ref()).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer
    }

    /// Runs an operation that has no HTTP route.
    pub(crate) async fn control(&self, what: &str, body: Value) -> Value {
        let url = format!("{}/__control/{what}", self.base_url);
        let answer = send(Method::POST, &url, &[], Some(&body)).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        answer.json()
    }

    /// Signs a user up and in.
    pub(crate) async fn sign_up(&self, name: &str) -> Browser {
        let body = json!({
            "name": name,
            "email": format!("{name}@example.com"),
            "password": "correct horse battery staple",
        });
        let answer = self
            .ask(Method::POST, "/sign-up/email", &[], Some(body))
            .await;
        Browser::signed_in(&answer)
    }

    /// Signs a user in again.
    pub(crate) async fn sign_in(&self, name: &str) -> Browser {
        let body = json!({
            "email": format!("{name}@example.com"),
            "password": "correct horse battery staple",
        });
        let answer = self
            .ask(Method::POST, "/sign-in/email", &[], Some(body))
            .await;
        Browser::signed_in(&answer)
    }

    /// A JWT for the signed-in user.
    pub(crate) async fn jwt(&self, browser: &Browser) -> String {
        let answer = self
            .ask(
                Method::GET,
                "/token",
                &[("cookie", browser.cookies())],
                None,
            )
            .await;
        answer.json()["token"].as_str().expect("a token").to_owned()
    }
}
