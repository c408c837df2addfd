//! Limits that make no sense.

use std::time::Duration;

use crate::config_error::ConfigError;

const LONGEST_DEADLINE: Duration = Duration::from_secs(3600);
const MOST_CONNECTIONS: usize = 10_000;

/// Refuses a deadline and a number of connections that are zero, or so large that a library below panics.
pub(crate) fn check_limits(deadline: Duration, max_connections: usize) -> Result<(), ConfigError> {
    if deadline.is_zero() || deadline > LONGEST_DEADLINE {
        return Err(ConfigError::new(
            "deadline",
            format!("is {} s", deadline.as_secs_f64()),
            "use a few seconds, at most an hour",
        ));
    }
    if max_connections == 0 || max_connections > MOST_CONNECTIONS {
        return Err(ConfigError::new(
            "max_connections",
            format!("is {max_connections}"),
            "use a few, at least one and at most 10000",
        ));
    }
    Ok(())
}
