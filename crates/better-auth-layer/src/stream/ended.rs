//! The end of a session, as a future.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::identity::Identity;
use crate::rejection::RejectionKind;

impl Identity {
    /// Completes when this identity no longer holds, for what goes on after the request has been let through: events, a
    /// WebSocket, a long download.
    ///
    /// That is when the proof [expires](Self::expires_at), or when the store is asked again and has neither the session
    /// nor the API key any more, or a ban. It is asked every
    /// [`recheck_interval`](crate::BetterAuthLayerBuilder::recheck_interval), five seconds unless set, for each of these
    /// futures that is being polled. Better Auth moves a session's expiry while its user is active; that is seen, too. A
    /// token's own expiry does not move: with a JWT that lives for fifteen minutes, the stream ends after fifteen minutes,
    /// and the client comes back with a new one.
    ///
    /// A store that cannot answer ends nothing; an expiry does, whether the store answers or not (a store that hangs then is
    /// given one second). Identical questions of several streams are asked once at a time.
    ///
    /// The future needs a Tokio runtime with its timer enabled. For bodies there is [`UntilSessionEnd`](crate::UntilSessionEnd).
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
        SessionEnded(State::Running(Mutex::new(Box::pin(watch(self.clone())))))
    }
}

/// The future of [`Identity::session_ended`]. Goes on saying the same when it is polled again.
///
/// ```
/// use better_auth_layer::Identity;
///
/// async fn until_signed_out(identity: Identity) {
///     let reason = identity.session_ended().await;
///     println!("{} is out: {}", identity.user().id(), reason.as_str());
/// }
/// ```
pub struct SessionEnded(State);

enum State {
    // Never locked, as it is only ever reached through `&mut`: this is what makes bodies `Sync`, which boxes want.
    Running(Mutex<Pin<Box<dyn Future<Output = SessionEndReason> + Send>>>),
    Over(SessionEndReason),
}

impl Future for SessionEnded {
    type Output = SessionEndReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SessionEndReason> {
        match &mut self.0 {
            State::Over(reason) => Poll::Ready(*reason),
            State::Running(future) => {
                let future = future.get_mut().unwrap_or_else(PoisonError::into_inner);
                let reason = ready!(future.as_mut().poll(cx));
                self.0 = State::Over(reason);
                Poll::Ready(reason)
            }
        }
    }
}

impl fmt::Debug for SessionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Running(_) => "SessionEnded(not yet)",
            State::Over(_) => "SessionEnded(now)",
        })
    }
}

/// Why an identity no longer holds.
///
/// ```
/// use better_auth_layer::SessionEndReason;
///
/// fn hint(end: SessionEndReason) -> &'static str {
///     match end {
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
    /// The session or the API key is gone before its time: signed out, revoked, or its user is banned or deleted.
    Revoked,
}

impl SessionEndReason {
    /// The name used in logs, fit for the reason of a WebSocket's close frame.
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
        wait(&identity, expires_at).await;
        match look_again(&identity, expires_at).await {
            Check::Holds(until) => expires_at = until,
            Check::Over if expires_at <= identity.now() => break SessionEndReason::Expired,
            Check::Over => break SessionEndReason::Revoked,
            Check::Unknown if expires_at <= identity.now() => break SessionEndReason::Expired,
            Check::Unknown => {}
        }
    };
    tracing::debug!(
        user_id = identity.user().id(),
        reason = reason.as_str(),
        "session ended while a stream was open"
    );
    reason
}

/// Until it is time to look again: after the interval, or when the proof expires.
async fn wait(identity: &Identity, expires_at: Timestamp) {
    let now = identity.now();
    if expires_at <= now {
        return;
    }
    let left = expires_at.abs_diff(now);
    let interval = identity
        .origin()
        .map_or(left, |origin| origin.recheck_interval().min(left));
    tokio::time::sleep(interval).await;
}

enum Check {
    Holds(Timestamp),
    Over,
    Unknown,
}

/// A session that should have expired may have been extended; so long the store has to say so.
const LAST_LOOK: Duration = Duration::from_secs(1);

async fn look_again(identity: &Identity, expires_at: Timestamp) -> Check {
    let Some(origin) = identity.origin() else {
        return Check::Unknown;
    };
    let now = identity.now();
    let patience = if expires_at <= now {
        LAST_LOOK
    } else {
        expires_at.abs_diff(now)
    };
    let again = Arc::clone(origin).prove_again(identity.clone());
    // A store that hangs does not hold up an expiry.
    match tokio::time::timeout(patience, again).await {
        Ok(Ok(again)) => Check::Holds(again.expires_at()),
        Err(_) => Check::Unknown,
        Ok(Err(rejection)) if rejection.kind() == RejectionKind::Unavailable => Check::Unknown,
        Ok(Err(_)) => Check::Over,
    }
}
