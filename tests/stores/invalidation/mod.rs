//! What a cache is told has changed is not given any more.

mod handle;
mod listener;
mod triggers;
