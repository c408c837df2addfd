//! Recipes: one page for each stack and each question. There is no code in here; every snippet is compiled as a test.
//!
//! | stack | |
//! |---|---|
//! | [`axum`] | where the layer goes, extractors, what unknown paths are answered |
//! | [`tonic`] | servers, handlers, streams, what stays open, clients |
//! | [`hyper`] | HTTP/1.1 and HTTP/2 on a socket, without a framework |
//! | [`tower`] | any other `Service`: order of layers, limits, the authenticator by itself |
//! | [`bounds`] | what the compiler refuses, why, and the remedy |
//! | [`testing`] | unit tests of a service behind the layer |
//!
//! | question | |
//! |---|---|
//! | [`several_layers`] | public, optional, required and restricted routes; nested routers; two deployments |
//! | [`authorization`] | roles, permissions, fresh sessions, policies of one's own |
//! | [`cors`] | why CORS stands outside, and what a preflight needs |
//! | [`proxy`] | TLS that ends in front, cookies, paths, event streams |
//! | [`neon`] | Neon, PgBouncer and other poolers, databases that sleep |
//! | [`staging`] | another issuer, another audience, keys from the database |
//! | [`streams`] | server-sent events and WebSockets that end with the session |
//! | [`refusals`] | what clients see, problem details, pages of one's own |
//! | [`observability`] | a check before anybody is let in, spans, metrics, what is logged and what never is |
//! | [`openapi`] | the security schemes for an API description |

#[doc = include_str!("authorization.md")]
pub mod authorization {}

#[doc = include_str!("axum.md")]
pub mod axum {}

#[doc = include_str!("bounds.md")]
pub mod bounds {}

#[doc = include_str!("cors.md")]
pub mod cors {}

#[doc = include_str!("hyper.md")]
pub mod hyper {}

#[doc = include_str!("neon.md")]
pub mod neon {}

#[doc = include_str!("observability.md")]
pub mod observability {}

#[doc = include_str!("openapi.md")]
pub mod openapi {}

#[doc = include_str!("proxy.md")]
pub mod proxy {}

#[doc = include_str!("refusals.md")]
pub mod refusals {}

#[doc = include_str!("several_layers.md")]
pub mod several_layers {}

#[doc = include_str!("staging.md")]
pub mod staging {}

#[doc = include_str!("streams.md")]
pub mod streams {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("tonic.md")]
pub mod tonic {}

#[doc = include_str!("tower.md")]
pub mod tower {}
