//! Panics for misuse of the test kit.

use std::fmt::Display;

/// Unwraps a result, and panics with a description of the error.
#[track_caller]
pub(super) fn must<T, E: Display>(what: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fail(&format!("{what}: {error}")),
    }
}

/// Panics.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "this is how a test fails; nothing that serves requests uses this module"
)]
pub(super) fn fail(why: &str) -> ! {
    panic!("{why}")
}
