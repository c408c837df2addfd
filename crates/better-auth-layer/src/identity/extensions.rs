//! The request extensions that a layer sets, and how code behind the layer reads them.
//!
//! An optional layer marks anonymous requests with [`Anonymous`]. A request with neither identity
//! nor marker did not pass a layer: that is a configuration error (500), not an anonymous request.

use bytes::Bytes;
use http::{Extensions, Response, request};

use super::Identity;
use crate::rejection::{Rejection, RejectionKind, Renderer};

/// Marks a request that an optional layer forwarded without a credential.
#[derive(Clone, Debug)]
pub(crate) struct Anonymous {
    pub(crate) renderer: Renderer,
}

impl Identity {
    /// Returns the identity of a request, for code that has no extractor.
    ///
    /// # Errors
    ///
    /// [`MissingCredential`](RejectionKind::MissingCredential) if the layer is
    /// [optional](crate::BetterAuthLayer::optional) and the request is anonymous.
    /// [`MissingLayer`](RejectionKind::MissingLayer) if the request did not pass a layer.
    ///
    /// ```
    /// use better_auth_layer::{Identity, Rejection};
    ///
    /// fn greet<B>(request: &http::Request<B>) -> Result<String, Rejection> {
    ///     let identity = Identity::from_extensions(request.extensions())?;
    ///     Ok(format!("hello {}", identity.user().id()))
    /// }
    ///
    /// let not_behind_a_layer = http::Request::new(());
    /// assert!(greet(&not_behind_a_layer).is_err());
    /// ```
    pub fn from_extensions(extensions: &Extensions) -> Result<&Self, Rejection> {
        Self::from_extensions_opt(extensions)?
            .ok_or_else(|| Rejection::new(RejectionKind::MissingCredential))
    }

    /// Returns the identity of a request, or `None` if the layer is
    /// [optional](crate::BetterAuthLayer::optional) and the request is anonymous.
    ///
    /// # Errors
    ///
    /// [`MissingLayer`](RejectionKind::MissingLayer) if the request did not pass a layer.
    /// `Extensions::get` returns `None` in that case, so a missing layer would look like an
    /// anonymous request.
    ///
    /// ```
    /// use better_auth_layer::{Identity, Rejection};
    ///
    /// fn greet<B>(request: &http::Request<B>) -> Result<&'static str, Rejection> {
    ///     let identity = Identity::from_extensions_opt(request.extensions())?;
    ///     Ok(if identity.is_some() { "welcome back" } else { "hello" })
    /// }
    /// ```
    pub fn from_extensions_opt(extensions: &Extensions) -> Result<Option<&Self>, Rejection> {
        match extensions.get::<Self>() {
            None if extensions.get::<Anonymous>().is_none() => {
                Err(Rejection::new(RejectionKind::MissingLayer))
            }
            identity => Ok(identity),
        }
    }
}

/// Returns the identity of a request and logs an error if the layer is missing.
pub(crate) fn required(parts: &request::Parts) -> Result<&Identity, Rejection> {
    let identity = Identity::from_extensions(&parts.extensions);
    identity.inspect_err(|rejection| report_missing_layer(rejection, parts))
}

// The renderer is found through the identity, which `rejection` does not know.
impl Rejection {
    /// Returns the response to the request with this head.
    ///
    /// The response uses the
    /// [renderer](crate::BetterAuthLayerBuilder::rejection_renderer) of the layer that the request
    /// passed. A gRPC request gets a gRPC status.
    ///
    /// ```
    /// use better_auth_layer::{Identity, Rejection, RejectionKind};
    /// use bytes::Bytes;
    /// use http::{Response, request};
    ///
    /// fn document(request: &request::Parts, owner: &str) -> Response<Bytes> {
    ///     match Identity::from_extensions(&request.extensions) {
    ///         Err(rejection) => rejection.to_response(request),
    ///         Ok(identity) if identity.user().id() != owner => {
    ///             Rejection::from(RejectionKind::PermissionDenied).to_response(request)
    ///         }
    ///         Ok(_identity) => Response::new(Bytes::from_static(b"the document")),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn to_response(&self, request: &request::Parts) -> Response<Bytes> {
        renderer(&request.extensions).to_response(self, request)
    }
}

/// The renderer of the layer that the request passed, or the default without a layer.
fn renderer(extensions: &Extensions) -> Renderer {
    if let Some(identity) = extensions.get::<Identity>() {
        return identity.renderer();
    }
    let anonymous = extensions.get::<Anonymous>();
    anonymous
        .map(|anonymous| anonymous.renderer.clone())
        .unwrap_or_default()
}

pub(crate) fn report_missing_layer(rejection: &Rejection, parts: &request::Parts) {
    if rejection.kind() == RejectionKind::MissingLayer {
        // The client controls the path. `Debug` escapes line breaks, so the path cannot forge a
        // log line.
        tracing::error!(
            outcome = rejection.kind().as_str(),
            method = %parts.method,
            route = ?parts.uri.path(),
            "route requires an identity but has no BetterAuthLayer: add the layer around it (in axum, call `.layer(auth)` after `.route(…)`)"
        );
    }
}
