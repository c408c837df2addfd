//! [`SessionEnded`]: a future that completes when an identity is no longer valid.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::rejection::RejectionKind;

/// Timeout of the lookup after an expiry: Better Auth may have extended the session.
const LAST_LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);

impl Identity {
    /// Returns a future that completes when this identity is no longer valid.
    ///
    /// Use it for work that continues after the request: event streams, WebSockets, long
    /// downloads. [`UntilSessionEnd`](crate::stream::UntilSessionEnd) applies it to bodies.
    ///
    /// The future completes when the identity [expires](Self::expires_at), or when a repeated
    /// lookup finds that the session or API key is gone or the user is banned. While it is polled,
    /// the future repeats the lookup every
    /// [`recheck_interval`](crate::BetterAuthLayerBuilder::recheck_interval) (five seconds by
    /// default). The lookup also detects a session whose expiry Better Auth has extended. The
    /// expiry of a JWT does not change: with a JWT that is valid for fifteen minutes, the stream
    /// ends after fifteen minutes and the client connects again with a new JWT.
    ///
    /// A backend error does not complete the future. An expiry does, even if the store does not
    /// respond; the future then waits at most one second. Identical lookups of several streams
    /// share one query.
    ///
    /// The future needs a Tokio runtime with timers.
    ///
    /// ```
    /// use better_auth_layer::Identity;
    ///
    /// # async fn next_message() -> Option<String> { None }
    /// # async fn close(_reason: &str) {}
    /// async fn websocket(identity: Identity) {
    ///     let mut ended = identity.session_ended();
    ///     loop {
    ///         tokio::select! {
    ///             reason = &mut ended => break close(reason.as_str()).await,
    ///             message = next_message() => match message {
    ///                 Some(message) => println!("{}: {message}", identity.user().id()),
    ///                 None => break,
    ///             },
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub fn session_ended(&self) -> SessionEnded {
        SessionEnded(State::Pending(Mutex::new(Box::pin(watch(self.clone())))))
    }
}

/// The future of [`Identity::session_ended`].
///
/// It is fused: after completion, every poll returns the same reason.
///
/// ```
/// use better_auth_layer::Identity;
///
/// async fn until_signed_out(identity: Identity) {
///     let reason = identity.session_ended().await;
///     println!("{}: {}", identity.user().id(), reason.as_str());
/// }
/// ```
pub struct SessionEnded(State);

enum State {
    // The mutex makes the future `Sync`, which boxed bodies require. It is never locked.
    Pending(Mutex<Pin<Box<dyn Future<Output = SessionEndReason> + Send>>>),
    Ended(SessionEndReason),
}

impl Future for SessionEnded {
    type Output = SessionEndReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SessionEndReason> {
        match &mut self.0 {
            State::Ended(reason) => Poll::Ready(*reason),
            State::Pending(future) => {
                let future = future.get_mut().unwrap_or_else(PoisonError::into_inner);
                let reason = ready!(future.as_mut().poll(cx));
                self.0 = State::Ended(reason);
                Poll::Ready(reason)
            }
        }
    }
}

impl fmt::Debug for SessionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Pending(_) => "SessionEnded(pending)",
            State::Ended(_) => "SessionEnded(ended)",
        })
    }
}

/// Why an identity is no longer valid.
///
/// ```
/// use better_auth_layer::stream::SessionEndReason;
///
/// fn hint(reason: SessionEndReason) -> &'static str {
///     match reason {
///         SessionEndReason::Expired => "fetch a new token and connect again",
///         _ => "sign in again",
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionEndReason {
    /// The session, the API key or the token has expired.
    Expired,
    /// The session or the API key was removed, or the user was banned or deleted.
    Revoked,
}

impl SessionEndReason {
    /// The name in logs, short enough for a WebSocket close frame.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

async fn watch(identity: Identity) -> SessionEndReason {
    let mut expires_at = identity.expires_at();
    let reason = loop {
        sleep_until_next_lookup(&identity, expires_at).await;
        let result = reauthenticate(&identity, expires_at).await;
        let is_expired = expires_at <= identity.now();
        match result {
            Reauthenticated::Valid(until) => expires_at = until,
            Reauthenticated::Invalid | Reauthenticated::Unknown if is_expired => {
                break SessionEndReason::Expired;
            }
            Reauthenticated::Invalid => break SessionEndReason::Revoked,
            Reauthenticated::Unknown => {}
        }
    };
    tracing::debug!(
        user_id = identity.user().id(),
        reason = reason.as_str(),
        "session ended while a stream was open"
    );
    reason
}

/// Sleeps for the recheck interval, but not past the expiry.
async fn sleep_until_next_lookup(identity: &Identity, expires_at: Timestamp) {
    let now = identity.now();
    if expires_at <= now {
        return;
    }
    let remaining = expires_at.abs_diff(now);
    let interval = identity
        .layer()
        .map_or(remaining, |layer| layer.recheck_interval().min(remaining));
    tokio::time::sleep(interval).await;
}

enum Reauthenticated {
    Valid(Timestamp),
    Invalid,
    /// The store did not respond.
    Unknown,
}

async fn reauthenticate(identity: &Identity, expires_at: Timestamp) -> Reauthenticated {
    let Some(layer) = identity.layer() else {
        return Reauthenticated::Unknown;
    };
    let now = identity.now();
    // A store that does not respond must not delay the expiry.
    let timeout = if expires_at <= now {
        LAST_LOOKUP_TIMEOUT
    } else {
        expires_at.abs_diff(now)
    };
    let lookup = Arc::clone(layer).reauthenticate(identity.clone());
    match tokio::time::timeout(timeout, lookup).await {
        Ok(Ok(identity)) => Reauthenticated::Valid(identity.expires_at()),
        Err(_) => Reauthenticated::Unknown,
        Ok(Err(rejection)) if rejection.kind() == RejectionKind::Unavailable => {
            Reauthenticated::Unknown
        }
        Ok(Err(_)) => Reauthenticated::Invalid,
    }
}
