//! [`BetterAuthLayer`]: wraps services in [`BetterAuth`].

use tower_layer::Layer;

use crate::authenticator::Authenticator;
use crate::future::Mode;
use crate::service::BetterAuth;

/// Layer that applies [`BetterAuth`], which authenticates requests against a Better Auth deployment.
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, Identity, Rejection, Secret};
/// use better_auth_layer::{Resolution, StoreError};
/// use better_auth_layer::store::store_fn;
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
///     let user_id = Identity::from_extensions(request.extensions())?.user().id().to_owned();
///     Ok::<_, Rejection>(Response::new(user_id))
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
    mode: Mode,
}

impl BetterAuthLayer {
    pub(crate) fn new(authenticator: Authenticator) -> Self {
        Self {
            authenticator,
            mode: Mode::Required,
        }
    }

    /// Also accepts requests without a credential. An invalid credential is still rejected, so an
    /// expired token never turns a signed-in user into an anonymous one.
    ///
    /// The returned layer shares keys, store and caches with the original. Handlers read the
    /// identity with the extractor `Option<Identity>` (feature `axum`) or with
    /// [`Identity::from_extensions_opt`](crate::Identity::from_extensions_opt). Both distinguish
    /// an anonymous request from a missing layer. `Extensions::get` and `Option<Extension<_>>` do
    /// not: with them, a missing layer makes every request anonymous.
    ///
    /// ```
    /// use better_auth_layer::{BetterAuthLayer, Identity, Rejection};
    /// use tower::Layer;
    ///
    /// fn routes<S: Clone>(auth: BetterAuthLayer, home: S, account: S) {
    ///     let home = auth.clone().optional().layer(home);
    ///     let account = auth.layer(account);
    ///     # let _ = (home, account);
    /// }
    ///
    /// fn greet<B>(request: &http::Request<B>) -> Result<&'static str, Rejection> {
    ///     Ok(match Identity::from_extensions_opt(request.extensions())? {
    ///         Some(_identity) => "welcome back",
    ///         None => "hello",
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn optional(self) -> Self {
        Self {
            mode: Mode::Optional,
            ..self
        }
    }

    /// Returns the authenticator, which works without Tower.
    #[must_use]
    pub fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }
}

impl<S> Layer<S> for BetterAuthLayer {
    type Service = BetterAuth<S>;

    fn layer(&self, inner: S) -> BetterAuth<S> {
        BetterAuth::new(inner, self.authenticator.clone(), self.mode)
    }
}
