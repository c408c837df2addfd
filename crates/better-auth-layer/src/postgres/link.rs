//! A connection that is out of the pool, and what is under way on it.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::access::Access;
use super::failure::{Failure, PostgresError};

/// How long a connection is waited for whose query nobody waits for any more.
const LONGEST_SETTLING: Duration = Duration::from_secs(1);

/// How long the server has to take note that queries need not go on.
const LONGEST_CANCELLING: Duration = Duration::from_secs(1);

/// How long it has until it is told again, at first: of several queries that were sent ahead, each is cancelled in its
/// turn.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// A connection of the pool, for everybody who asks on it at the same time.
///
/// When the last of them is gone, it goes back to the pool, or out of it where it broke. Where a query was dropped, its
/// answer is still to come, and the next borrower would wait for it. So the connection comes back when that answer is
/// there, if it is there soon, and not at all if the lookup's deadline is over. A crowd that asks and leaves therefore
/// opens no further connections. A query that is left behind is cancelled: a server that waits for a lock does not see
/// that nobody waits for it, and each new connection would leave one more behind.
///
/// Where a query reaches its deadline, those behind it are asked to go elsewhere: answers come in the order of the
/// questions.
pub(super) struct Link {
    object: Option<Object>,
    may_prepare: bool,
    tls: MakeRustlsConnect,
    progress: Mutex<Progress>,
    doomed: Notify,
}

/// Queries are counted in the order in which they are sent, which is that of their answers.
struct Progress {
    sent: u64,
    answered: u64,
    /// The last one that nobody waits for any more.
    abandoned: u64,
    is_broken: bool,
    is_doomed: bool,
    /// The latest deadline of those who asked.
    until: Instant,
}

impl Link {
    pub(super) fn new(object: Object, access: &Access, until: Instant) -> Self {
        Self {
            may_prepare: access.direct.may_prepare(&object),
            object: Some(object),
            tls: access.tls.clone(),
            progress: Mutex::new(Progress {
                sent: 0,
                answered: 0,
                abandoned: 0,
                is_broken: false,
                is_doomed: false,
                until,
            }),
            doomed: Notify::new(),
        }
    }

    pub(super) fn object(&self) -> Option<&Object> {
        self.object.as_ref()
    }

    /// Whether a statement that is prepared on it will be there, and will be the same.
    pub(super) fn may_prepare(&self) -> bool {
        self.may_prepare
    }

    /// Whether one more may ask on it.
    pub(super) fn admits(&self, until: Instant) -> bool {
        let is_open = self.object().is_some_and(|object| !object.is_closed());
        let mut progress = self.progress();
        let is_good = is_open && !progress.is_broken && !progress.is_doomed;
        if is_good {
            progress.until = progress.until.max(until);
        }
        is_good
    }

    /// It is not for the pool any more.
    pub(super) fn give_up(&self) {
        self.progress().is_broken = true;
    }

    /// Waits for the answer to something that is sent, unless the connection is given up before.
    pub(super) async fn exchange<T>(
        &self,
        until: Instant,
        exchange: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let mut doom = pin!(self.doomed.notified());
        if self.progress().is_doomed {
            return Err(Failure::Dead(PostgresError::held_up()));
        }
        let mut exchange = pin!(exchange);
        // What has its answer at once was not sent.
        let mut sent = None;
        let outcome = std::future::poll_fn(|cx| match exchange.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending => {
                sent.get_or_insert_with(|| Sent::on(self, until));
                doom.as_mut().poll(cx).map(|()| None)
            }
        })
        .await;
        match outcome {
            Some(outcome) => {
                if let Some(sent) = sent {
                    sent.close();
                }
                Ok(outcome)
            }
            None => Err(Failure::Dead(PostgresError::held_up())),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that was sent and is to be answered. Dropped, nobody waits for that.
struct Sent<'a> {
    link: &'a Link,
    until: Instant,
    number: u64,
    is_answered: bool,
}

impl<'a> Sent<'a> {
    fn on(link: &'a Link, until: Instant) -> Self {
        let mut progress = link.progress();
        progress.sent += 1;
        Self {
            link,
            until,
            number: progress.sent,
            is_answered: false,
        }
    }

    fn close(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        let mut progress = self.link.progress();
        if self.is_answered {
            progress.answered = progress.answered.max(self.number);
            return;
        }
        progress.abandoned = progress.abandoned.max(self.number);
        if Instant::now() >= self.until {
            progress.is_doomed = true;
            drop(progress);
            self.link.doomed.notify_waiters();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let progress = self
            .progress
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let is_settled = progress.abandoned <= progress.answered;
        let patience = if progress.is_doomed {
            Duration::ZERO
        } else {
            let left = progress.until.saturating_duration_since(Instant::now());
            left.min(LONGEST_SETTLING)
        };
        // What was held up is not broken: the server still works on it.
        let is_broken = progress.is_broken && !progress.is_doomed;
        let Some(object) = self.object.take() else {
            return;
        };
        if is_settled && !is_broken {
            // Dropped as it is, it goes back to the pool.
            return;
        }
        let abandoned = Abandoned(Some(object));
        if !is_broken && let Ok(runtime) = Handle::try_current() {
            runtime.spawn(abandoned.settle(patience, self.tls.clone()));
        }
    }
}

/// A connection whose answers nobody waits for. Dropped, it is taken out of the pool.
struct Abandoned(Option<Object>);

impl Abandoned {
    /// Waits for the answers, and gives up the queries with the connection where they do not come.
    async fn settle(mut self, patience: Duration, tls: MakeRustlsConnect) {
        let Some(object) = &self.0 else {
            return;
        };
        if !patience.is_zero() {
            // Answers come in the order of the questions: when the one to a further question is there, none is
            // outstanding.
            let settled = timeout(patience, object.batch_execute("")).await;
            if matches!(settled, Ok(Ok(()))) {
                drop(self.0.take());
                return;
            }
        }
        if let Some(object) = self.0.take() {
            // Out of the pool first: what waits for a place there need not wait for this.
            let client = Object::take(object);
            let _ = timeout(LONGEST_CANCELLING, cancel(&client, &tls)).await;
        }
    }
}

/// Cancels the queries one after the other, as often as it takes: the server works off what it was sent even when the
/// connection is closed, and a busy one may take two requests for one.
async fn cancel(client: &ClientWrapper, tls: &MakeRustlsConnect) {
    let token = client.cancel_token();
    let mut idle = pin!(client.batch_execute(""));
    let mut pause = FIRST_PAUSE;
    loop {
        let _ = token.cancel_query(tls.clone()).await;
        if timeout(pause, idle.as_mut()).await.is_ok() {
            return;
        }
        pause *= 2;
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
