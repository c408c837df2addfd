//! The reference from an identity to the layer that created it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Identity;
use crate::clock::Timestamp;
use crate::rejection::{Rejection, Renderer, RetryAfter};

/// The future of [`LayerHandle::reauthenticate`].
pub(crate) type Reauthentication =
    Pin<Box<dyn Future<Output = Result<Identity, Rejection>> + Send>>;

/// The parts of a layer that code behind it uses: renderer, clock, timeouts and store.
pub(crate) trait LayerHandle: Send + Sync {
    fn renderer(&self) -> &Renderer;

    fn now(&self) -> Timestamp;

    /// The timeout of a store lookup.
    fn lookup_timeout(&self) -> Duration;

    /// `Retry-After` of 503 responses.
    fn retry_after(&self) -> &RetryAfter;

    /// How often an open stream reauthenticates.
    fn recheck_interval(&self) -> Duration;

    /// Repeats the store lookup for the same user with the same session or API key.
    fn reauthenticate(self: Arc<Self>, identity: Identity) -> Reauthentication;
}
