//! `SqliteStore` on files of every adapter, under load and under a writer's lock.

mod api_keys;
mod concurrency;
mod store;
