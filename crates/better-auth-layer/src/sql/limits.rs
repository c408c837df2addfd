//! Bounds of the limits that a SQL store can be configured with.

use std::time::Duration;

use crate::config_error::ConfigError;

/// The maximum length of a queue of lookups.
pub(crate) const MOST_WAITING: usize = 1_000_000;

const LONGEST_DEADLINE: Duration = Duration::from_secs(3600);
const MOST_CONNECTIONS: usize = 10_000;

/// Rejects a timeout or a number of connections that is zero, or so large that a dependency panics.
pub(crate) fn check_limits(deadline: Duration, max_connections: usize) -> Result<(), ConfigError> {
    if deadline.is_zero() || deadline > LONGEST_DEADLINE {
        return Err(ConfigError::new(
            "query_timeout",
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

/// Rejects a limit that is zero or above its maximum.
pub(crate) fn check_range(
    setting: &'static str,
    value: usize,
    most: usize,
) -> Result<(), ConfigError> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    let (problem, remedy) = (
        format!("is {value}"),
        format!("use at least 1 and at most {most}"),
    );
    Err(ConfigError::new(setting, problem, remedy))
}
