//! The layer without a database: credentials, keys, sessions, caches, rejections, the test kit.

mod allocations;
mod cache;
mod cancellation;
mod config;
mod keys;
mod recorded_sessions;
mod recorded_tokens;
mod recordings;
mod redaction;
mod requests;
mod sessions;
mod signatures;
mod single_flight;
mod store_failures;
mod testing;
