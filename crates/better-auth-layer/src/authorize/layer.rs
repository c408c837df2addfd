//! [`AuthorizeLayer`]: wraps services in [`Authorize`].

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::{Authorize, Policy};

/// Layer that applies [`Authorize`], which rejects requests that a [`Policy`] does not allow.
///
/// ```
/// use better_auth_layer::authorize::{AuthorizeLayer, Role};
/// use better_auth_layer::{BetterAuthLayer, Identity};
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, service_fn};
///
/// fn admin(auth: BetterAuthLayer) {
///     let service = ServiceBuilder::new()
///         .layer(auth)
///         .layer(AuthorizeLayer::new(Role::new("admin")))
///         .service(service_fn(|_: Request<String>| async {
///             Ok::<_, std::convert::Infallible>(Response::new("admin area".to_owned()))
///         }));
///     # let _ = service;
/// }
/// ```
pub struct AuthorizeLayer<P> {
    policy: Arc<P>,
}

impl<P: Policy> AuthorizeLayer<P> {
    /// Creates a layer that applies the policy.
    pub fn new(policy: P) -> Self {
        Self {
            policy: Arc::new(policy),
        }
    }
}

impl<S, P> Layer<S> for AuthorizeLayer<P> {
    type Service = Authorize<S, P>;

    fn layer(&self, inner: S) -> Authorize<S, P> {
        Authorize::new(inner, Arc::clone(&self.policy))
    }
}

impl<P> Clone for AuthorizeLayer<P> {
    fn clone(&self) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
        }
    }
}

impl<P> fmt::Debug for AuthorizeLayer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuthorizeLayer")
            .field(&std::any::type_name::<P>())
            .finish()
    }
}
