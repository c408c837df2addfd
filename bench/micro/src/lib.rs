//! The deployment that the micro-benchmarks measure: one signed-in user and a layer.

mod fixture;

pub use self::fixture::{Fixture, parts};
