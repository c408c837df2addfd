//! Limits store code to a timeout and converts its panics to errors.
//!
//! A store is foreign code. The layer enforces the lookup timeout outside the store, in addition to
//! any timeout inside it, and a panic becomes a [`StoreError`]. In both cases the client gets `503`
//! and the connection survives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{StoreError, StoreErrorKind};

/// Runs a store's future with a timeout, and converts a panic to a store error.
///
/// The timer is created when the future is first pending. A store that is ready at once therefore
/// works without a Tokio timer.
pub(crate) async fn within<T, F>(
    timeout: Duration,
    start: impl FnOnce() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>> + Unpin,
{
    let mut future = CatchPanic(catch_panic(start)?);
    let at_once = std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx))).await;
    if let Poll::Ready(result) = at_once {
        return result;
    }
    // Tokio panics if the runtime has no timer. The request is rejected instead of waiting forever.
    let limited = catch_panic(|| tokio::time::timeout(timeout, &mut future))?;
    let result = limited.await.unwrap_or_else(|_| Err(StoreError::timeout()));
    // Dropping the future runs the store's destructors, which can panic.
    catch_panic(|| drop(future))?;
    result
}

/// Runs store code, and converts a panic to a store error.
pub(crate) fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T, StoreError> {
    // The panic message is dropped because it may quote the lookup key. Unwind safety is asserted
    // because no state of the layer is shared with the store.
    catch_unwind(AssertUnwindSafe(run)).map_err(|_message| StoreErrorKind::Panicked.into())
}

/// A future that returns a store error when the inner future panics. Not polled again afterwards.
struct CatchPanic<F>(F);

impl<T, F> Future for CatchPanic<F>
where
    F: Future<Output = Result<T, StoreError>> + Unpin,
{
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = Pin::new(&mut self.0);
        catch_panic(|| future.poll(cx)).unwrap_or_else(|error| Poll::Ready(Err(error)))
    }
}
