//! `PostgresStore` under load: queued lookups share a statement, and each gets its own result.

mod answers;
mod disturbances;
mod fixtures;
mod line;
mod random;
mod statements;
