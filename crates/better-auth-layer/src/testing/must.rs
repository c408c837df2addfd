//! How a test kit says that it was used wrongly.

use std::fmt::Display;

/// What has to be there. Anything else ends the test, which says more than an error that every test would unwrap.
#[track_caller]
pub(super) fn must<T, E: Display>(what: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fail(&format!("{what}: {error}")),
    }
}

/// Ends the test.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "this is how a test fails; nothing that serves requests uses this module"
)]
pub(super) fn fail(why: &str) -> ! {
    panic!("{why}")
}
