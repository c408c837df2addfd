//! `PostgresStore` under load: queued lookups share a statement, and each gets its own result.

mod fixtures;
mod interruptions;
mod queue;
mod random;
mod results;
mod statements;
