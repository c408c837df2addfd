//! The command line of the server.

use std::env;

use serving::BoxError;

/// The store of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// A store in memory and no JWT cache, so that only extraction and verification remain.
    Memory,
    /// PostgreSQL, queried for every request.
    Postgres,
    /// PostgreSQL behind a cache with a listener.
    Cached,
}

/// The command line.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    /// The first argument.
    pub store: StoreKind,
    /// The second argument: the capacity of the cache or the number of users in memory.
    pub size: usize,
    /// For `postgres`: the number of batch connections and the batches in flight on each.
    pub limits: Option<[usize; 2]>,
}

impl Arguments {
    /// Parses the command line.
    ///
    /// # Errors
    ///
    /// If the arguments are invalid.
    pub fn read() -> Result<Self, BoxError> {
        let usage = "usage: ours memory|cached [SIZE], or ours postgres [CONNECTIONS IN_FLIGHT]";
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
