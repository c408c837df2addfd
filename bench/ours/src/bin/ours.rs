//! The layer on hyper.

use ours::Arguments;
use serving::Settings;
use tower::{ServiceBuilder, service_fn};

fn main() -> Result<(), serving::BoxError> {
    let (settings, arguments) = (Settings::read()?, Arguments::read()?);
    serving::run(async || {
        let layer = ours::layer(&settings, arguments).await?;
        let service = ServiceBuilder::new().layer(layer);
        Ok(service.service(service_fn(serving::answer)))
    })
}
