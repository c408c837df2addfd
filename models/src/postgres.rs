//! The library's batcher.

#[rustfmt::skip]
#[path = "../../crates/better-auth-layer/src/postgres/batcher.rs"]
pub(crate) mod batcher;
#[rustfmt::skip]
#[path = "../../crates/better-auth-layer/src/postgres/lane_load.rs"]
mod lane_load;
pub(crate) mod model;
