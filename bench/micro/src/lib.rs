//! What the micro-benchmarks measure: a deployment with one user who has signed in, and a layer for it.

mod world;

pub use self::world::{World, parts};
