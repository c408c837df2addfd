//! The runtime, the listener, the connection handling and the response that all Rust servers of the
//! rig share, so that they differ only in authentication.
//!
//! A server prints its address to standard output and exits when standard input closes.

mod answer;
mod server;
mod settings;

pub use self::answer::{BODY, answer, response};
pub use self::server::{BoxError, run};
pub use self::settings::{Algorithm, Settings};
