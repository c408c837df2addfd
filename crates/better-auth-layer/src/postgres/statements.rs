//! Whether statements are prepared.

/// Whether a [`PostgresStore`](crate::postgres::PostgresStore) prepares its statements; set with
/// [`statements`](crate::postgres::PostgresStoreBuilder::statements).
///
/// A prepared statement saves the database the planning, which costs it more than the lookup itself. But it belongs to
/// a connection of the server, and a pooler in transaction mode (PgBouncer, Neon's `-pooler` hosts) gives that
/// connection to others meanwhile: the statement is missing then, or is another client's of the same name, which answers
/// with somebody else's row and no error. So statements are prepared only where that cannot be.
///
/// ```
/// use better_auth_layer::postgres::{PostgresStore, StatementMode};
///
/// let store = PostgresStore::builder("postgres://app:secret@localhost/app")
///     .statement_mode(StatementMode::Unprepared)
///     .build()?;
/// # Ok::<(), better_auth_layer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementMode {
    /// Prepared on each connection that is proven to lead straight to a process of the server, whose number is then the
    /// one that was announced when the connection was made. A pooler announces a number of its own.
    #[default]
    Auto,
    /// Never prepared: every statement is sent and planned anew, which works through every pooler.
    Unprepared,
    /// Always prepared. For connections that a proof fails on though nothing shares them, and for poolers that keep
    /// prepared statements apart (PgBouncer from 1.21 on with `max_prepared_statements` above 0).
    ///
    /// Through any other pooler in transaction mode, **lookups fail or are answered with the rows of another client's
    /// statement**. The layer refuses rows that are no answer to its question, and cannot know of a forged one.
    Prepared,
}
