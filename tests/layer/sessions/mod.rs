//! Session cookies, session tokens, and the precedence of credentials.

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
