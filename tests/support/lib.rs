//! Code that the tests and the rigs share.

pub mod app;
pub mod captured_log;
pub mod conformance;
pub mod fixtures;
pub mod key_server;
pub mod mock_store;
pub mod prelude;
pub mod rng;
pub mod signer;
pub mod temporary_folder;
pub mod test_clock;
pub mod token;

/// The programs in the repository's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
