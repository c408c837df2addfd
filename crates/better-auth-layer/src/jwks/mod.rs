//! Public keys: where they come from and how long they are trusted.

mod algorithm;
mod jwk;
mod key_cache;
mod key_set;
mod key_source;
mod options;
mod remote;
mod roca;
mod small_order;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod table_key_source;
mod verification_key;

pub use self::algorithm::JwsAlgorithm;
pub(crate) use self::key_cache::{Fetched, KeyCache, KeyLookup};
pub use self::key_set::KeySet;
pub(crate) use self::key_source::DynKeySource;
pub use self::key_source::{KeySource, KeySourceError};
pub use self::options::JwksOptions;
pub use self::remote::RemoteKeySource;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::table_key_source::TableKeySource;
pub(crate) use self::verification_key::VerificationKey;
