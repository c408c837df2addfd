//! hyper without authentication.

use tower::service_fn;

fn main() -> Result<(), serving::BoxError> {
    serving::run(async || Ok(service_fn(serving::answer)))
}
