//! What kind of server.

use std::env;

use serving::BoxError;

/// Where users and sessions are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// A few users in memory, which answer at once, and no JWT remembered: what is left is extracting and verifying.
    Memory,
    /// The database, asked at every request.
    Postgres,
    /// The database behind a cache that is told what changes.
    Cached,
}

/// The command line.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    /// The first argument: `memory`, `postgres` or `cached`.
    pub store: StoreKind,
    /// The second one: how many answers the cache keeps, or how many users are in memory.
    pub size: usize,
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// When it is another one.
    pub fn read() -> Result<Self, BoxError> {
        let mut arguments = env::args().skip(1);
        let store = match arguments.next().as_deref() {
            Some("memory") => StoreKind::Memory,
            Some("postgres") => StoreKind::Postgres,
            Some("cached") => StoreKind::Cached,
            _ => return Err("usage: ours memory|postgres|cached [size]".into()),
        };
        let size = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
        Ok(Self { store, size })
    }
}
