//! What all Rust servers of the rig share, so that they differ in their authentication only: the runtime, the listener,
//! the handling of connections, and the answer behind the authentication.
//!
//! A server says on standard output where it listens and ends with its standard input.

mod answer;
mod server;
mod settings;

pub use self::answer::{BODY, answer, response};
pub use self::server::{BoxError, run};
pub use self::settings::{Algorithm, Settings};
