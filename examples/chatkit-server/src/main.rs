//! Stub: wiring follows.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), expect(dead_code, reason = "the wiring follows"))]

mod body;
mod chatkit;
mod proxy;
mod refusal;

fn main() {}
