//! Limits on what a store's code can do to a request: take too long, or panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{StoreError, StoreErrorKind};

/// Runs a store's future under a deadline, and takes a panic in it for a failure of the store.
///
/// The timer is made when the future first has to wait: a store that answers at once needs no Tokio runtime with a
/// timer, any other does.
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
    // Without a timer nobody would end the wait: tokio panics then, and the request is refused.
    let limited = catch_panic(|| tokio::time::timeout(timeout, &mut future))?;
    let result = limited.await.unwrap_or_else(|_| Err(StoreError::timeout()));
    // What is dropped at the deadline is the store's code, too.
    catch_panic(|| drop(future))?;
    result
}

/// Runs a store's code, and takes a panic in it for a failure of the store.
pub(crate) fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T, StoreError> {
    // Without the panic's own message, which may quote the key that was looked up. What the store left half done is
    // the store's affair; nothing of ours is shared with it.
    catch_unwind(AssertUnwindSafe(run)).map_err(|_message| StoreErrorKind::Panicked.into())
}

/// A future whose panics are store errors. Not polled again after one.
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
