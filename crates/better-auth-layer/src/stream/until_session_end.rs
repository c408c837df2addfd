//! [`UntilSessionEnd`]: a response body or gRPC stream that ends with the session.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::SessionEnded;
use crate::identity::Identity;

pin_project! {
    /// A response body, or with the feature `tonic` a response stream, that ends when the identity
    /// is [no longer valid](Identity::session_ended). The inner body or stream is dropped then.
    ///
    /// A body ends without an error. A browser's `EventSource` then reconnects, gets a `401` and
    /// stops. A gRPC stream ends with the status `UNAUTHENTICATED`, because a stream that ends
    /// without an error looks complete.
    ///
    /// ```
    /// use better_auth_layer::stream::UntilSessionEnd;
    /// use better_auth_layer::{Identity, Rejection};
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body::Body;
    ///
    /// fn events<B>(request: &Request<()>, events: B) -> Result<Response<UntilSessionEnd<B>>, Rejection>
    /// where
    ///     B: Body<Data = Bytes>,
    /// {
    ///     let identity = Identity::from_extensions(request.extensions())?;
    ///     Ok(Response::new(UntilSessionEnd::new(events, identity)))
    /// }
    /// ```
    #[derive(Debug)]
    #[must_use = "bodies and streams do nothing unless polled"]
    pub struct UntilSessionEnd<B> {
        #[pin]
        inner: Option<B>,
        ended: SessionEnded,
    }
}

impl<B> UntilSessionEnd<B> {
    /// Wraps a body or a stream.
    pub fn new(inner: B, identity: &Identity) -> Self {
        Self {
            inner: Some(inner),
            ended: identity.session_ended(),
        }
    }
}

impl<B: Body> Body for UntilSessionEnd<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        // Polled first, so that no frame is sent after the session has ended.
        if Pin::new(this.ended).poll(cx).is_ready() {
            this.inner.set(None);
        }
        match this.inner.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    /// Never exact: a body that is sent with a content length must not end early.
    fn size_hint(&self) -> SizeHint {
        let Some(body) = &self.inner else {
            return SizeHint::with_exact(0);
        };
        let mut hint = SizeHint::new();
        if let Some(upper) = body.size_hint().upper() {
            hint.set_upper(upper);
        }
        hint
    }
}

#[cfg(feature = "tonic")]
impl<S, T> futures_core::Stream for UntilSessionEnd<S>
where
    S: futures_core::Stream<Item = Result<T, tonic::Status>>,
{
    type Item = Result<T, tonic::Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(stream) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(reason) = Pin::new(this.ended).poll(cx) {
            this.inner.set(None);
            let status = tonic::Status::unauthenticated(format!("Session {}", reason.as_str()));
            return Poll::Ready(Some(Err(status)));
        }
        stream.poll_next(cx)
    }

    /// The upper bound includes the final status.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let upper = match &self.inner {
            Some(stream) => stream.size_hint().1.and_then(|upper| upper.checked_add(1)),
            None => Some(0),
        };
        (0, upper)
    }
}
