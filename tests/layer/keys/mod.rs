//! Public keys: sources, caching, and rejections while keys are missing.

mod cache;
mod endpoint;
mod fixtures;
mod policy;
mod remembered;
mod sources;
mod storm;
