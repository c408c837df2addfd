//! Open streams that end with the session: event streams, WebSockets, long downloads.
//!
//! A stream outlives the request that was authenticated. [`Identity::session_ended`] repeats the
//! lookup of that request at an interval. A backend error ends no stream; an expiry does.
//!
//! [`Identity::session_ended`]: crate::Identity::session_ended

mod session_ended;
mod until_session_end;

pub use self::session_ended::{SessionEndReason, SessionEnded};
pub use self::until_session_end::UntilSessionEnd;
