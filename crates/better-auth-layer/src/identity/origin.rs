//! What an identity keeps of the layer that proved it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Identity;
use crate::clock::Timestamp;
use crate::rejection::{Rejection, Renderer, RetryAfter};

/// The future of [`Origin::prove_again`].
pub(crate) type Reproof = Pin<Box<dyn Future<Output = Result<Identity, Rejection>> + Send>>;

/// The layer that proved an identity. What comes after authentication asks it, so that nothing of it has to be configured
/// twice: how refusals look, what time it is, and whether the proof still holds.
pub(crate) trait Origin: Send + Sync {
    /// How this layer refuses.
    fn renderer(&self) -> &Renderer;

    /// The layer's time.
    fn now(&self) -> Timestamp;

    /// How long a store may take.
    fn lookup_timeout(&self) -> Duration;

    /// When a client should come back whom nobody can tell anything.
    fn retry_after(&self) -> &RetryAfter;

    /// How often the proof of an open stream is looked at again.
    fn recheck_interval(&self) -> Duration;

    /// Asks the store once more for the same user with the same session or API key.
    fn prove_again(self: Arc<Self>, identity: Identity) -> Reproof;
}
