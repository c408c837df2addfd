//! Invalidated entries are not used.

mod handle;
mod listener;
mod triggers;
