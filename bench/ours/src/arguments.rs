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
    /// The first argument.
    pub store: StoreKind,
    /// The second one: how many answers the cache keeps, or how many users are in memory.
    pub size: usize,
    /// For `postgres` the second and the third one: lanes, and lookups in flight on each.
    pub limits: Option<[usize; 2]>,
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// When it is another one.
    pub fn read() -> Result<Self, BoxError> {
        let usage = "usage: ours memory|cached [SIZE], or ours postgres [LANES IN_FLIGHT]";
        let arguments: Vec<String> = env::args().skip(1).collect();
        let (store, numbers) = arguments.split_first().ok_or(usage)?;
        let store = match &**store {
            "memory" => StoreKind::Memory,
            "postgres" => StoreKind::Postgres,
            "cached" => StoreKind::Cached,
            _ => return Err(usage.into()),
        };
        let numbers: Vec<usize> = numbers
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()?;
        let (size, limits) = match (store, &*numbers) {
            (_, []) => (10_000, None),
            (StoreKind::Postgres, [lanes, in_flight]) => (0, Some([*lanes, *in_flight])),
            (StoreKind::Memory | StoreKind::Cached, [size]) => (*size, None),
            _ => return Err(usage.into()),
        };
        Ok(Self {
            store,
            size,
            limits,
        })
    }
}
