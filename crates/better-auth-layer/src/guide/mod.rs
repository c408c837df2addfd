//! Guide: one page for each framework and each topic.
//!
//! The modules contain no code. All snippets are compiled as tests.
//!
//! | framework | contents |
//! |---|---|
//! | [`axum`] | order of layers, extractors, unknown paths |
//! | [`tonic`] | servers, handlers, streams, open services, clients |
//! | [`hyper`] | HTTP/1.1 and HTTP/2 without a framework |
//! | [`tower`] | other services: order of layers, limits, the authenticator without a service |
//! | [`bounds`] | compiler errors, their causes and their fixes |
//! | [`testing`] | unit tests of a service behind the layer |
//!
//! | topic | contents |
//! |---|---|
//! | [`configuration`] | environment variables, the builder, the startup check |
//! | [`credentials`] | JWTs, cookies, session tokens, API keys |
//! | [`stores`] | PostgreSQL, SQLite, memory, custom stores |
//! | [`caching`] | the cache, the listener, the delay of revocations |
//! | [`security_model`] | properties of the credentials, guarantees, comparison with other crates |
//! | [`several_layers`] | public, optional, required and restricted routes; nested routers; two deployments |
//! | [`authorization`] | roles, permissions, fresh sessions, custom policies |
//! | [`cors`] | order of the layers, preflight requests, cookies from other origins |
//! | [`proxy`] | TLS termination, cookies, paths, event streams |
//! | [`neon`] | Neon, PgBouncer and other poolers, databases that suspend |
//! | [`staging`] | another issuer, another audience, keys from the database |
//! | [`streams`] | server-sent events and WebSockets that end with the session |
//! | [`rejections`] | default responses, problem details, custom responses |
//! | [`observability`] | startup check, spans, logs, metrics |
//! | [`openapi`] | security schemes for an API description |

#[doc = include_str!("authorization.md")]
pub mod authorization {}

#[doc = include_str!("axum.md")]
pub mod axum {}

#[doc = include_str!("bounds.md")]
pub mod bounds {}

#[doc = include_str!("caching.md")]
pub mod caching {}

#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[doc = include_str!("cors.md")]
pub mod cors {}

#[doc = include_str!("credentials.md")]
pub mod credentials {}

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

#[doc = include_str!("rejections.md")]
pub mod rejections {}

#[doc = include_str!("security_model.md")]
pub mod security_model {}

#[doc = include_str!("several_layers.md")]
pub mod several_layers {}

#[doc = include_str!("staging.md")]
pub mod staging {}

#[doc = include_str!("stores.md")]
pub mod stores {}

#[doc = include_str!("streams.md")]
pub mod streams {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("tonic.md")]
pub mod tonic {}

#[doc = include_str!("tower.md")]
pub mod tower {}
