//! The program of the README, unchanged.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use http::Method;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::SECRET;
use crate::browser::Browser;
use crate::http::send;
use crate::issuer::Issuer;
use crate::report::Report;

const HEADING: &str = "## Protect an axum route in ten lines";

/// The port of the program.
const ADDRESS: &str = "127.0.0.1:3001";

/// Builds the program and runs it on the database of a deployment.
pub(crate) async fn run(
    database_url: &str,
    place: &str,
    issuer: &Issuer,
    browser: &Browser,
    report: &mut Report,
) {
    if TcpStream::connect(ADDRESS).await.is_ok() {
        let got = format!("another program listens on {ADDRESS}: stop it and retry");
        report.push(
            place,
            "README's program",
            "a free port".to_owned(),
            got,
            false,
        );
        return;
    }
    let program = build(&program()).await;
    let mut process = Command::new(program)
        .env("DATABASE_URL", database_url)
        .env("BETTER_AUTH_SECRET", SECRET)
        .env("BETTER_AUTH_URL", issuer.base_url())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    for _ in 0..600 {
        if TcpStream::connect(ADDRESS).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let jwt = format!("Bearer {}", issuer.jwt(browser).await);
    let hello = format!("hello {}", browser.user_id);
    let refused = r#"{"error": "Invalid or expired JWT token", "status": 401}"#;
    for (step, headers, status, body) in [
        (
            "README's program without a credential",
            vec![],
            401,
            refused,
        ),
        (
            "README's program with a JWT",
            vec![("authorization", jwt.as_str())],
            200,
            &hello,
        ),
        (
            "README's program with a cookie",
            vec![("cookie", browser.cookies())],
            200,
            &hello,
        ),
    ] {
        let url = format!("http://{ADDRESS}/me");
        let answer = send(Method::GET, &url, &headers, None).await;
        let is_good = answer.status == status && answer.body == body;
        let got = format!("{} {}", answer.status, answer.body);
        report.push(place, step, status.to_string(), got, is_good);
    }
    let _ = process.kill().await;
}

/// The first block of Rust below the heading.
fn program() -> String {
    let readme = std::fs::read_to_string(workspace().join("README.md")).expect("the README");
    let (_, section) = readme
        .split_once(HEADING)
        .expect("the README has the heading");
    let (_, block) = section.split_once("```rust").expect("a block of Rust");
    let (_, block) = block.split_once('\n').expect("lines");
    let (program, _) = block.split_once("\n```").expect("an end");
    program.to_owned()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Builds a program as a separate crate, with the versions and the target directory of this
/// workspace.
async fn build(program: &str) -> PathBuf {
    let target = std::env::current_exe().expect("our own path");
    let target = target.ancestors().nth(2).expect("the target directory");
    let folder = target.join("interop/readme-axum");
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    std::fs::write(folder.join("src/main.rs"), program).expect("the program");
    let library = workspace().join("crates/better-auth-layer");
    // The profile of the workspace, so that the build reuses its dependencies.
    let manifest = format!(
        "[package]\nname = \"readme-axum\"\nedition = \"2024\"\n\n[dependencies]\naxum = \"0.8\"\n\
         better-auth-layer = {{ path = {library:?}, features = [\"axum\", \"postgres\", \"sqlite\"] }}\n\
         tokio = {{ version = \"1\", features = [\"full\"] }}\n\n[workspace]\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("the manifest");
    std::fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", target)
        .stdout(Stdio::null())
        .status()
        .await
        .expect("cargo");
    assert!(status.success(), "the README's program does not build");
    target.join("debug/readme-axum")
}
