//! Connections that outlive the request that opened them.

mod ended;
mod until_ended;

pub use self::ended::{SessionEndReason, SessionEnded};
pub use self::until_ended::UntilSessionEnd;
