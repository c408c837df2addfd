//! The issuer's public keys: key sets, their sources, and the cache that fetches them.
//!
//! Keys are validated and parsed when their set is read. An invalid key does not affect the rest of
//! its set.

mod error;
mod key;
mod key_cache;
mod key_set;
mod key_source;
mod options;
#[cfg(feature = "jwks-http")]
mod remote;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod table_key_source;

pub use self::error::KeySourceError;
pub use self::key::JwsAlgorithm;
pub(crate) use self::key::VerificationKey;
pub(crate) use self::key_cache::{FetchReport, KeyCache, KeyError, KeyFetch};
pub use self::key_set::KeySet;
pub(crate) use self::key_source::DynKeySource;
pub use self::key_source::KeySource;
pub use self::options::JwksOptions;
#[cfg(feature = "jwks-http")]
pub use self::remote::RemoteKeySource;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::table_key_source::TableKeySource;
