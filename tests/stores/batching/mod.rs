//! `PostgresStore` under load: lookups that wait go together, and each is answered as if it had gone alone.

mod answers;
mod disturbances;
mod fixtures;
mod line;
mod random;
mod statements;
