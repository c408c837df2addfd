//! `PostgresStore` against a real PostgreSQL server.

#[path = "postgres/addresses.rs"]
mod addresses;
#[path = "postgres/api_keys.rs"]
mod api_keys;
#[path = "postgres/cancelled.rs"]
mod cancelled;
#[path = "postgres/change.rs"]
mod change;
#[path = "postgres/discovery.rs"]
mod discovery;
#[path = "postgres/frozen.rs"]
mod frozen;
#[path = "postgres/ids.rs"]
mod ids;
#[path = "postgres/many_sessions.rs"]
mod many_sessions;
#[path = "postgres/naming.rs"]
mod naming;
#[path = "postgres/neon.rs"]
mod neon;
#[path = "postgres/outage.rs"]
mod outage;
#[path = "postgres/redaction.rs"]
mod redaction;
#[path = "postgres/restart.rs"]
mod restart;
#[path = "postgres/rights.rs"]
mod rights;
#[path = "postgres/tables.rs"]
mod tables;
#[path = "postgres/times.rs"]
mod times;
#[path = "postgres/tls.rs"]
mod tls;
