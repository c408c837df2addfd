//! What a layer leaves on a request that it lets through.

use bytes::Bytes;
use http::{Extensions, Response, request};

use super::Identity;
use crate::rejection::{Rejection, RejectionKind, Renderer};

/// Marks a request that a layer has let through without a credential. What stands behind it can tell "nobody" from
/// "nobody has looked".
#[derive(Clone, Debug)]
pub(crate) struct Anonymous {
    pub(crate) renderer: Renderer,
}

impl Identity {
    /// The sender of a request, where there has to be one. For code without an extractor of its framework's.
    ///
    /// # Errors
    ///
    /// A [`Rejection`]: [`MissingCredential`](RejectionKind::MissingCredential) where the layer is
    /// [optional](crate::BetterAuthLayer::optional) and nobody has signed in, [`MissingLayer`](RejectionKind::MissingLayer)
    /// where the request has passed no layer.
    ///
    /// ```
    /// use better_auth_layer::{Identity, Rejection};
    ///
    /// fn greet<B>(request: &http::Request<B>) -> Result<String, Rejection> {
    ///     let identity = Identity::from_extensions(request.extensions())?;
    ///     Ok(format!("hello {}", identity.user().id()))
    /// }
    ///
    /// let nobody_has_looked = http::Request::new(());
    /// assert!(greet(&nobody_has_looked).is_err());
    /// ```
    pub fn from_extensions(extensions: &Extensions) -> Result<&Self, Rejection> {
        Self::from_extensions_opt(extensions)?
            .ok_or_else(|| Rejection::new(RejectionKind::MissingCredential))
    }

    /// The sender of a request, `None` where the layer is [optional](crate::BetterAuthLayer::optional) and nobody has
    /// signed in.
    ///
    /// # Errors
    ///
    /// [`MissingLayer`](RejectionKind::MissingLayer) where the request has passed no layer. `Extensions::get` would be
    /// silent there, and the request taken for anonymous.
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
            found => Ok(found),
        }
    }
}

/// The sender of a request, for a part of the stack that refuses by itself. Says in the log where a layer is missing.
pub(crate) fn required(parts: &request::Parts) -> Result<&Identity, Rejection> {
    let identity = Identity::from_extensions(&parts.extensions);
    identity.inspect_err(|rejection| report_missing_layer(rejection, parts))
}

impl Rejection {
    /// The response to a request with this head: as the layer that it has passed
    /// [renders](crate::BetterAuthLayerBuilder::rejection_renderer) refusals, as a gRPC status where the request is gRPC.
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
        renderer(&request.extensions).respond(self, request)
    }
}

/// How the layer that the request has passed refuses; as the contract says where there was none.
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
        // The path is the client's text: Debug escapes what could forge a line of the log.
        tracing::error!(
            outcome = rejection.kind().as_str(),
            method = %parts.method,
            route = ?parts.uri.path(),
            "a route that asks for an identity is not behind a BetterAuthLayer: put the layer around it (in axum, call `.layer(auth)` after `.route(…)`)"
        );
    }
}
