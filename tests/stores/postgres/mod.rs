//! `PostgresStore` against a real PostgreSQL server.

mod api_keys;
mod cancelled;
mod change;
mod discovery;
mod emails;
mod fixtures;
mod frozen;
mod ids;
mod many_sessions;
mod naming;
mod neon;
mod outage;
mod redaction;
mod restart;
mod rights;
mod times;
mod tls;
