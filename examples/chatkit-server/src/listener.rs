//! Where the server listens.

use std::{io, net::IpAddr};

use better_auth_layer::config::Env;
use tokio::net::TcpListener;

use crate::start_error::StartError;

const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 8000;

/// Listens on `HOST` and `PORT`.
pub(crate) async fn bind(environment: &Env) -> Result<TcpListener, StartError> {
    let (host, port) = address(environment)?;
    TcpListener::bind((host, port))
        .await
        .map_err(|error| failure(&error, host, port))
}

/// `HOST` and `PORT`, as they were set.
pub(crate) fn address(environment: &Env) -> Result<(&str, u16), StartError> {
    let host = host(environment.get("HOST")?.unwrap_or(DEFAULT_HOST))?;
    let port = match environment.get("PORT")? {
        None => DEFAULT_PORT,
        Some(text) => text.trim().parse().map_err(|_| {
            let remedy = "write a number from 0 to 65535, such as 8000 (0 picks a free port)";
            StartError::of_variable("PORT", "is not the number of a port", remedy)
        })?,
    };
    Ok((host, port))
}

/// An address or a name, with the brackets of a URL taken off.
fn host(text: &str) -> Result<&str, StartError> {
    let host = text.trim();
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let is_name =
        !host.contains(|sign: char| !sign.is_ascii_alphanumeric() && !"-.".contains(sign));
    if !host.is_empty() && (is_name || host.parse::<IpAddr>().is_ok()) {
        Ok(host)
    } else {
        Err(not_a_host("is not an address"))
    }
}

fn not_a_host(problem: &str) -> StartError {
    let remedy = "write `127.0.0.1` (this machine alone), `0.0.0.0` (every network) or the \
                  address of one of its networks, without a scheme and a port";
    StartError::of_variable("HOST", problem, remedy)
}

fn failure(error: &io::Error, host: &str, port: u16) -> StartError {
    match error.kind() {
        io::ErrorKind::AddrInUse => StartError::new(format!(
            "port {port} of {host} is taken by another program; \
             stop that one, or set `PORT` to another port (0 picks a free one)"
        )),
        io::ErrorKind::PermissionDenied => StartError::new(format!(
            "port {port} of {host} needs rights that this program does not have; \
             set `PORT` to one above 1023"
        )),
        _ => not_a_host(&format!("cannot be listened on ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_name() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            (" localhost ", "localhost"),
            ("node-1.internal", "node-1.internal"),
        ] {
            assert_eq!(host(text).unwrap(), expected);
        }
        for text in [
            " ",
            "[]",
            "http://localhost",
            "localhost:80",
            "[::1]:80",
            "a/b",
            "a b",
        ] {
            let error = host(text).unwrap_err().to_string();
            assert!(
                error.starts_with("`HOST` is not an address"),
                "{text}: {error}"
            );
        }
    }
}
