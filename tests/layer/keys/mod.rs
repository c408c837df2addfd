//! Public keys: where they come from, how long they are trusted, and what becomes of requests when they cannot be had.

mod cache;
mod endpoint;
mod fixtures;
mod pending;
mod policy;
mod remembered;
mod sources;
mod storm;
