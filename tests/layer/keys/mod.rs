//! Public keys: sources, caching, and rejections while keys are missing.

mod cache;
mod endpoint;
mod fixtures;
mod jwt_cache;
mod pending;
mod policy;
mod sources;
mod unknown_kids;
