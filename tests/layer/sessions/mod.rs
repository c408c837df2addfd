//! Session cookies, session tokens, and which of several credentials counts.

mod api_keys;
mod cookie;
mod cookie_cache;
mod environment;
mod fixtures;
mod noise;
mod origin;
mod precedence;
mod redaction;
mod settings;
