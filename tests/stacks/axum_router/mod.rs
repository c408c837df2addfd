//! The layer and its extractors in axum: wherever the layer stands, however a path is spelled, no handler is reached by
//! somebody of whom it does not know who it is.

mod authorized;
mod cors;
mod extractors;
mod fixtures;
mod missing_layer;
mod optional;
mod paths;
mod rendering;
