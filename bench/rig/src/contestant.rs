//! The servers that are measured.

use std::process::Command;

use crate::deployment::Credential;
use crate::error::Error;
use crate::server::own_program;

/// Groups of servers, for `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Floors,
    Ours,
    Rust,
    Node,
    Python,
}

impl Group {
    pub(crate) const ALL: [(&str, Self); 5] = [
        ("floors", Self::Floors),
        ("ours", Self::Ours),
        ("rust", Self::Rust),
        ("node", Self::Node),
        ("python", Self::Python),
    ];
}

/// How a server is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Program {
    /// A program of this workspace, with arguments.
    Rust(&'static str, &'static [&'static str]),
    /// A script in `bench/node`.
    Node(&'static str),
    /// The server in `bench/python`.
    Python,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contestant {
    pub(crate) title: &'static str,
    pub(crate) checks: &'static str,
    pub(crate) group: Group,
    pub(crate) program: Program,
    pub(crate) credential: Credential,
    /// How many users send requests.
    pub(crate) users: usize,
    pub(crate) connections: usize,
}

/// Users that fit into a cache.
const FEW: usize = 1_000;
/// Users that do not fit into a cache.
const MANY: usize = 20_000;
/// The number of users in `ours memory`, whose lookup is a linear scan.
const IN_MEMORY: usize = 16;

pub(crate) const HYPER: Program = Program::Rust("hyper-no-auth", &[]);
pub(crate) const OURS_POSTGRES: Program = Program::Rust("ours", &["postgres"]);
pub(crate) const OURS_CACHED: Program = Program::Rust("ours", &["cached"]);
/// Limits that are high enough for one query per lookup.
const OURS_PIPELINED: Program = Program::Rust("ours", &["postgres", "2", "32"]);
const OURS_MEMORY: Program = Program::Rust("ours", &["memory", "16"]);
const TOWER_HTTP: Program = Program::Rust("tower-http-header", &[]);
const JWT_AUTHORIZER: Program = Program::Rust("yardstick-jwt-authorizer", &[]);
const AXUM_JWT_AUTH: Program = Program::Rust("yardstick-axum-jwt-auth", &[]);
const OAUTH2: Program = Program::Rust("yardstick-oauth2-resource-server", &[]);

const TOKEN: &str = "token";
const ALL: &str = "token, user, session";

/// All rows in the order of the table. The floor appears once for each number of connections.
#[rustfmt::skip]
pub(crate) fn all() -> Vec<Contestant> {
    use Credential::{Constant, Cookie, EdDsa, Hs256};
    use Group::{Floors, Node, Ours, Python, Rust};
    let row = |title, checks, group, program, credential, users, connections| Contestant {
        title, checks, group, program, credential, users, connections,
    };
    vec![
        row("hyper, no authentication", "nothing", Floors, HYPER, Hs256, FEW, 64),
        row("hyper, no authentication, 8 connections", "nothing", Floors, HYPER, Hs256, FEW, 8),
        row("axum, no authentication", "nothing", Floors, Program::Rust("axum-no-auth", &[]), Hs256, FEW, 64),
        row("tower-http `ValidateRequestHeader`", "one constant header", Floors, TOWER_HTTP, Constant, 1, 64),
        row("**better-auth-layer**, cached, HS256", ALL, Ours, OURS_CACHED, Hs256, FEW, 64),
        row("**better-auth-layer**, cached, EdDSA", ALL, Ours, OURS_CACHED, EdDsa, FEW, 64),
        row("**better-auth-layer**, verified each time, HS256", ALL, Ours, OURS_MEMORY, Hs256, IN_MEMORY, 64),
        row("**better-auth-layer**, verified each time, EdDSA", ALL, Ours, OURS_MEMORY, EdDsa, IN_MEMORY, 64),
        row("**better-auth-layer**, database queried each time, HS256", ALL, Ours, OURS_POSTGRES, Hs256, MANY, 64),
        row("**better-auth-layer**, the same, 8 connections", ALL, Ours, OURS_POSTGRES, Hs256, MANY, 8),
        row("**better-auth-layer**, one query each, 8 connections", ALL, Ours, OURS_PIPELINED, Hs256, MANY, 8),
        row("jwt-authorizer, HS256", TOKEN, Rust, JWT_AUTHORIZER, Hs256, FEW, 64),
        row("jwt-authorizer, EdDSA", TOKEN, Rust, JWT_AUTHORIZER, EdDsa, FEW, 64),
        row("axum-jwt-auth, HS256", TOKEN, Rust, AXUM_JWT_AUTH, Hs256, FEW, 64),
        row("axum-jwt-auth, EdDSA", TOKEN, Rust, AXUM_JWT_AUTH, EdDsa, FEW, 64),
        row("tower-oauth2-resource-server, HS256", TOKEN, Rust, OAUTH2, Hs256, FEW, 64),
        row("tower-oauth2-resource-server, EdDSA", TOKEN, Rust, OAUTH2, EdDsa, FEW, 64),
        row("Node.js: `jose` and `pg`, HS256", ALL, Node, Program::Node("jose-pg.mjs"), Hs256, MANY, 64),
        row("Node.js: Better Auth's `getSession`", "cookie, user, session", Node, Program::Node("better-auth.mjs"), Cookie, MANY, 64),
        row("FastAPI, python-jose, SQLAlchemy, HS256", ALL, Python, Program::Python, Hs256, MANY, 64),
    ]
}

impl Contestant {
    /// The row for comparison.
    pub(crate) fn is_floor_of(&self, other: &Self) -> bool {
        self.program == HYPER && self.connections == other.connections
    }

    /// Whether the server looks up users.
    pub(crate) fn asks_a_database(&self) -> bool {
        self.users == MANY
    }

    /// Identifies the server process. A server that accepts both kinds of token runs once for each.
    pub(crate) fn key(&self) -> (Program, Credential) {
        (self.program, self.credential)
    }
}

impl Program {
    /// The command, without its environment.
    pub(crate) fn command(self) -> Result<Command, Error> {
        match self {
            Self::Rust(name, arguments) => {
                let mut command = Command::new(own_program(name)?);
                command.args(arguments);
                Ok(command)
            }
            Self::Node(script) => {
                let mut command = Command::new("node");
                command.arg(crate::prerequisites::folder("node").join(script));
                Ok(command)
            }
            Self::Python => {
                let mut command = Command::new(crate::prerequisites::python());
                command.arg(crate::prerequisites::folder("python").join("server.py"));
                Ok(command)
            }
        }
    }
}
