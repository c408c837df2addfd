//! What the tests share.

pub mod captured_log;
pub mod conformance;
pub mod gate;
pub mod key_server;
pub mod rng;
pub mod signer;
pub mod temporary_folder;
pub mod test_clock;
pub mod token;
pub mod valve;
pub mod world;

/// The programs in the repository's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
