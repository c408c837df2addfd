//! axum with one route.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;

fn main() -> Result<(), serving::BoxError> {
    serving::run(async || {
        let chatkit = post(async |_: Bytes| serving::response());
        Ok(Router::new().route("/support/chatkit", chatkit))
    })
}
