//! The layer in the frameworks that it is made for: Tower, hyper, axum, tonic.

mod axum_router;
mod bounds;
mod service;
mod tonic_server;
