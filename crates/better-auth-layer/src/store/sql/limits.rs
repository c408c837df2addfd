//! Limits that make no sense.

use std::time::Duration;

use crate::config_error::ConfigError;

/// How many lookups may wait at most.
pub(crate) const MOST_WAITING: usize = 1_000_000;

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

/// Refuses a limit that is zero, or more than makes sense.
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
