//! Session cookies, session tokens, and the precedence of credentials.

mod api_keys;
mod cookie;
mod cookie_cache;
mod environment;
mod fixtures;
mod origin;
mod precedence;
mod random;
mod redaction;
mod settings;
