//! The layer in front of a tonic server, over real sockets: what is on the wire, what a handler sees, how streams end, and
//! how it stands beside tonic's own layers.

mod fixtures;
mod handlers;
mod stack;
mod streams;
mod web;
mod wire;
