//! The layer and its extractors in axum: no handler is reached without an identity, for every
//! position of the layer and every spelling of a path.

mod authorized;
mod cors;
mod extractors;
mod fixtures;
mod missing_layer;
mod optional;
mod paths;
mod rendering;
