//! The event stream of one reply.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::response::BoxError;
use crate::response::ErrorResponse;
use crate::{
    event::{StreamOptions, ThreadItemUpdate, ThreadStreamEvent},
    item::{AssistantMessageContent, Item},
    responder::respond,
    thread_store::ThreadStore,
};

/// Slow enough to see the words arrive and to cancel the reply.
const PACE: Duration = Duration::from_millis(20);

/// A response body that stores the assistant's message in the thread when it ends.
///
/// A ChatKit client cancels a reply by closing the connection. The body is dropped then, and the
/// text sent so far is stored.
pub(crate) struct Reply {
    events: VecDeque<ThreadStreamEvent>,
    pace: Interval,
    sent: String,
    /// The message, until it is stored in the thread.
    message: Option<Item>,
    threads: ThreadStore,
    user_id: String,
    thread_id: String,
}

impl Reply {
    pub(crate) fn new(
        opening: Vec<ThreadStreamEvent>,
        threads: ThreadStore,
        user_id: &str,
        thread_id: &str,
        question: &str,
    ) -> Result<Self, ErrorResponse> {
        let message = Item::assistant_message(thread_id)?;
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut events = VecDeque::from(opening);
        events.extend(message_events(&message, respond(user_id, question)));
        Ok(Self {
            events,
            pace,
            sent: String::new(),
            message: Some(message),
            threads,
            user_id: user_id.to_owned(),
            thread_id: thread_id.to_owned(),
        })
    }

    fn next_event(&mut self) -> Option<ThreadStreamEvent> {
        let event = self.events.pop_front()?;
        if let ThreadStreamEvent::ThreadItemUpdated {
            update: ThreadItemUpdate::TextDelta { delta, .. },
            ..
        } = &event
        {
            self.sent.push_str(delta);
        }
        if self.events.is_empty() {
            // The last event reports the message as done, so it must be in the thread by then.
            self.store();
        }
        Some(event)
    }

    fn store(&mut self) {
        if let Some(message) = self.message.take()
            && !self.sent.is_empty()
        {
            let message = message.with_text(std::mem::take(&mut self.sent));
            self.threads
                .add_reply(&self.user_id, &self.thread_id, message);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.store();
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.events.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.pace.poll_tick(context));
        let frame = self.next_event().map(|event| event.to_frame());
        Poll::Ready(frame.map(|frame| Ok(Frame::data(frame?))))
    }

    fn is_end_stream(&self) -> bool {
        self.events.is_empty()
    }
}

/// The events of an assistant's message, from the empty to the complete message.
fn message_events(message: &Item, deltas: Vec<String>) -> Vec<ThreadStreamEvent> {
    const CONTENT_INDEX: usize = 0;
    let content = AssistantMessageContent::new;
    let update = |update| ThreadStreamEvent::ThreadItemUpdated {
        item_id: message.id().to_owned(),
        update,
    };
    let whole = deltas.concat();
    let mut events = vec![
        ThreadStreamEvent::StreamOptions {
            stream_options: StreamOptions { allow_cancel: true },
        },
        ThreadStreamEvent::ThreadItemAdded {
            item: message.clone(),
        },
        update(ThreadItemUpdate::Added {
            content_index: CONTENT_INDEX,
            content: content(String::new()),
        }),
    ];
    events.extend(deltas.into_iter().map(|delta| {
        update(ThreadItemUpdate::TextDelta {
            content_index: CONTENT_INDEX,
            delta,
        })
    }));
    events.push(update(ThreadItemUpdate::Done {
        content_index: CONTENT_INDEX,
        content: content(whole.clone()),
    }));
    events.push(ThreadStreamEvent::ThreadItemDone {
        item: message.clone().with_text(whole),
    });
    events
}
