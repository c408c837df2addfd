//! The layer.

use tower_layer::Layer;

use crate::authenticator::Authenticator;
use crate::service::BetterAuth;

/// Layer that applies [`BetterAuth`], which authenticates requests against a Better Auth deployment.
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, Identity, Secret};
/// use better_auth_layer::{Resolution, StoreError, store_fn};
/// use http::{Request, Response, StatusCode};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = BetterAuthLayer::builder()
///     .secret(Secret::new("correct-horse-battery-staple-4711")?)
///     .store(store_fn(|_| async { Ok::<_, StoreError>(Resolution::UserNotFound) }))
///     .build()?;
///
/// let service = ServiceBuilder::new().layer(layer).service(service_fn(|request: Request<String>| async move {
///     let user_id = request.extensions().get::<Identity>().map(|identity| identity.user().id().to_owned());
///     Ok::<_, std::convert::Infallible>(Response::new(user_id.unwrap_or_default()))
/// }));
///
/// let response = service.oneshot(Request::new(String::new())).await?;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BetterAuthLayer {
    authenticator: Authenticator,
}

impl BetterAuthLayer {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        Self { authenticator }
    }

    /// The part of the layer that decides, for use without Tower.
    #[must_use]
    pub fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }
}

impl<S> Layer<S> for BetterAuthLayer {
    type Service = BetterAuth<S>;

    fn layer(&self, inner: S) -> BetterAuth<S> {
        BetterAuth::new(inner, self.authenticator.clone())
    }
}
