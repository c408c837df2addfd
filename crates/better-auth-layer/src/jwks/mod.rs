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
mod verification_key;

pub use self::algorithm::JwsAlgorithm;
pub(crate) use self::key_cache::{Fetched, KeyCache, KeyLookup};
pub use self::key_set::KeySet;
pub(crate) use self::key_source::DynKeySource;
pub use self::key_source::{KeySource, KeySourceError};
pub use self::options::JwksOptions;
pub use self::remote::RemoteKeySource;
pub(crate) use self::verification_key::VerificationKey;
