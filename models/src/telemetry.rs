//! What the library's files find in place of `crate::telemetry`.

pub(crate) mod meter {
    use std::time::Duration;

    pub(crate) fn jwks_fetched(_: bool) {}

    pub(crate) fn jwks_age(_: Duration) {}
}
