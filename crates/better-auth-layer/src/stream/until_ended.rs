//! A body that ends with the session.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::SessionEnded;
use crate::identity::Identity;

pin_project! {
    /// A response body that ends when the identity behind it [does](Identity::session_ended): for event streams and long
    /// downloads. The inner body is dropped then, and with it whatever feeds it.
    ///
    /// The stream ends like one that is complete. A browser's `EventSource` connects again and is answered with a `401`,
    /// which ends it.
    ///
    /// ```
    /// use better_auth_layer::{Identity, Rejection, UntilSessionEnd};
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
    #[must_use = "a body does nothing unless it is sent"]
    pub struct UntilSessionEnd<B> {
        #[pin]
        body: Option<B>,
        ended: SessionEnded,
    }
}

impl<B> UntilSessionEnd<B> {
    /// Lets a body last as long as an identity.
    pub fn new(body: B, identity: &Identity) -> Self {
        Self {
            body: Some(body),
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
        // Asked first: nothing more is sent to somebody who may not see it.
        if Pin::new(this.ended).poll(cx).is_ready() {
            this.body.set(None);
        }
        match this.body.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    /// Never an exact one: a body that was announced with its length may not end before.
    fn size_hint(&self) -> SizeHint {
        let Some(body) = &self.body else {
            return SizeHint::with_exact(0);
        };
        let mut hint = SizeHint::new();
        if let Some(upper) = body.size_hint().upper() {
            hint.set_upper(upper);
        }
        hint
    }
}
