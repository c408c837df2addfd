//! tower-http's check of one constant header, a lower bound for the cost of a layer.

use serving::Settings;
use tower::{ServiceBuilder, service_fn};
use tower_http::validate_request::ValidateRequestHeaderLayer;

fn main() -> Result<(), serving::BoxError> {
    let settings = Settings::read()?;
    let value = format!("Bearer {}", settings.secret);
    serving::run(async || {
        let layer = ValidateRequestHeaderLayer::has_header_value("authorization", &value)?;
        let service = ServiceBuilder::new().layer(layer);
        Ok(service.service(service_fn(serving::answer)))
    })
}
