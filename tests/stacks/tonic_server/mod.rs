//! The layer in front of a tonic server over sockets: wire format, handlers, streams, and tonic's
//! own layers.

mod fixtures;
mod handlers;
mod stack;
mod streams;
mod web;
mod wire;
