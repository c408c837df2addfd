//! The choice between the two backends.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use crate::chatkit::ChatKit;
use crate::proxy::Proxy;
use crate::response::{BoxBody, BoxError};
use crate::upstream_error::UpstreamError;

/// The built-in ChatKit service or a proxy to another one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Backend {
    /// The service in this process.
    BuiltIn(ChatKit),
    /// A ChatKit server at another URL.
    Upstream(Arc<Proxy>),
}

impl Backend {
    /// A proxy to `upstream`, or the built-in service without one.
    ///
    /// # Errors
    ///
    /// `upstream` is not a URL that the proxy accepts.
    pub fn new(upstream: Option<&str>) -> Result<Self, UpstreamError> {
        Ok(match upstream {
            Some(upstream) => Self::Upstream(Arc::new(Proxy::new(upstream)?)),
            None => Self::BuiltIn(ChatKit::new()),
        })
    }

    /// Handles a request of the authenticated user.
    pub async fn handle<B>(
        &self,
        user_id: &str,
        email: &str,
        request: Request<B>,
    ) -> Response<BoxBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match self {
            Self::BuiltIn(chatkit) => chatkit.handle(user_id, request).await,
            Self::Upstream(proxy) => proxy.handle(user_id, email, request).await,
        }
    }
}
