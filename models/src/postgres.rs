//! The library's batcher, with a model of its callers.

#[rustfmt::skip]
#[path = "../../crates/better-auth-layer/src/postgres/batch.rs"]
pub(crate) mod batch;
pub(crate) mod model;
