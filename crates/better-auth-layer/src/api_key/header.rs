//! Names of headers that carry one kind of credential.

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};

use crate::config_error::ConfigError;

/// Parses the name of a header that carries nothing but the credential.
pub(crate) fn dedicated_header(
    setting: &'static str,
    name: &str,
) -> Result<HeaderName, ConfigError> {
    let invalid = |problem: &'static str| {
        ConfigError::new(
            setting,
            problem,
            "write the name of a separate header, such as `x-api-key`",
        )
    };
    let name: HeaderName = name
        .parse()
        .map_err(|_| invalid("contains an invalid header name"))?;
    if name == AUTHORIZATION || name == COOKIE {
        return Err(invalid("uses the header of another credential"));
    }
    Ok(name)
}
