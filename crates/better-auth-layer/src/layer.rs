//! The layer.

use tower_layer::Layer;

use crate::authenticator::Authenticator;
use crate::future::Mode;
use crate::service::BetterAuth;

/// Layer that applies [`BetterAuth`], which authenticates requests against a Better Auth deployment.
///
/// ```
/// use better_auth_layer::{BetterAuthLayer, Identity, Rejection, Secret};
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

    /// Lets requests without a credential through as well, for routes that greet those who have signed in and serve
    /// everybody. A credential that is there has to be good: a bad one is refused as ever, so that nobody who has
    /// signed in is shown the page of a stranger because a token has expired.
    ///
    /// The layer that it is called on and the one that it gives share everything else. In axum, `Option<Identity>` is the
    /// extractor (feature `axum`); elsewhere it is [`Identity::from_extensions_opt`](crate::Identity::from_extensions_opt). Both tell
    /// "nobody" from "no layer", which `Extensions::get` and `Option<Extension<…>>` do not: with those a forgotten layer
    /// makes everybody anonymous.
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

    /// The part of the layer that decides, for use without Tower.
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
