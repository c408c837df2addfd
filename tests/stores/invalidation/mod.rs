//! Invalidated entries are not used.

mod invalidator;
mod listener;
mod triggers;
