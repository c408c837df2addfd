//! The environment that all parts of a run share.

use cluster::postgres::{Database, OwnCluster};

use crate::contestant::Program;
use crate::database;
use crate::deployment::{Credential, Deployment};
use crate::error::Error;
use crate::options::Options;
use crate::server::{Server, own_program};

/// Users in the database of most parts.
pub(crate) const USERS: usize = 100_000;

pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) deployment: Deployment,
    pub(crate) cluster: OwnCluster,
    /// [`USERS`] users with three sessions each, and the triggers of the listener.
    pub(crate) database: Database,
}

impl Bench {
    pub(crate) async fn new(options: Options) -> Result<Self, Error> {
        let cluster = database::cluster().await;
        eprintln!("making {USERS} users");
        let database = database::with_users(&cluster, USERS, database::SESSIONS).await?;
        let output = std::process::Command::new(own_program("triggers")?)
            .env("DATABASE_URL", database.url())
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        database.execute(std::str::from_utf8(&output.stdout)?).await;
        Ok(Self {
            options,
            deployment: Deployment::new()?,
            cluster,
            database,
        })
    }

    /// Starts a server on a database.
    pub(crate) fn server(
        &self,
        program: Program,
        credential: Credential,
        database: &Database,
    ) -> Result<Server, Error> {
        let algorithm = match credential {
            Credential::EdDsa => "EdDSA",
            _ => "HS256",
        };
        let name = match program {
            Program::Rust(name, arguments) => [&[name], arguments].concat().join(" "),
            Program::Node(script) => script.to_owned(),
            Program::Python => "FastAPI".to_owned(),
        };
        let mut command = program.command()?;
        command
            .envs(self.deployment.environment())
            .env("BENCH_ALGORITHM", algorithm)
            .env("BENCH_WORKERS", self.options.workers.to_string())
            .env("DATABASE_URL", database.url())
            .env("PGHOST", self.cluster.socket_dir())
            .env("PGUSER", "postgres")
            .env("PGDATABASE", database.name());
        Server::start(&name, &mut command)
    }
}
