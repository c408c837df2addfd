//! A small ChatKit service: nine operations on text threads in memory, without a model.

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;

use crate::event::ThreadStreamEvent;
use crate::operation::Operation;
use crate::reply::Reply;
use crate::response::{BoxBody, BoxError, ErrorResponse, json};
use crate::thread_store::ThreadStore;

/// Operations have a few kilobytes. The body is buffered, so it needs a limit.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The ChatKit service. Clones share their threads.
#[derive(Clone, Debug, Default)]
pub struct ChatKit {
    threads: ThreadStore,
}

impl ChatKit {
    /// A service without threads.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Handles a POST of the authenticated user. The body cannot name another user.
    pub async fn handle<B>(&self, user_id: &str, request: Request<B>) -> Response<BoxBody>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let answer = match read(request.into_body()).await {
            Ok(body) => Operation::parse(&body).and_then(|operation| self.run(user_id, operation)),
            Err(refusal) => Err(refusal),
        };
        answer.unwrap_or_else(ErrorResponse::into_response)
    }

    // All errors are detected here, before a stream starts and its status is sent.
    fn run(&self, user_id: &str, operation: Operation) -> Result<Response<BoxBody>, ErrorResponse> {
        let threads = &self.threads;
        match operation {
            Operation::ThreadsCreate { input } => {
                let (thread, message) = threads.create(user_id, input)?;
                let text = message.text();
                let thread_id = thread.id().to_owned();
                let opening = vec![
                    ThreadStreamEvent::ThreadCreated { thread },
                    ThreadStreamEvent::ThreadItemDone { item: message },
                ];
                self.stream(opening, user_id, &thread_id, &text)
            }
            Operation::ThreadsAddUserMessage { thread_id, input } => {
                let message = threads.add_user_message(user_id, &thread_id, input)?;
                let text = message.text();
                let opening = vec![ThreadStreamEvent::ThreadItemDone { item: message }];
                self.stream(opening, user_id, &thread_id, &text)
            }
            Operation::ThreadsRetryAfterItem { thread_id, item_id } => {
                let message = threads.rewind(user_id, &thread_id, &item_id)?;
                self.stream(Vec::new(), user_id, &thread_id, &message.text())
            }
            Operation::ThreadsGetById { thread_id } => ok(&threads.get(user_id, &thread_id)?),
            Operation::ThreadsList(paging) => ok(&threads.list(user_id, &paging)?),
            Operation::ItemsList { thread_id, paging } => {
                ok(&threads.items(user_id, &thread_id, &paging)?)
            }
            Operation::ThreadsUpdate { thread_id, title } => {
                ok(&threads.rename(user_id, &thread_id, title)?)
            }
            Operation::ThreadsDelete { thread_id } => {
                threads.delete(user_id, &thread_id)?;
                ok(&Empty {})
            }
            Operation::ItemsFeedback {
                thread_id,
                item_ids,
                kind,
            } => {
                // The items may be gone: a retry replaces a reply that already has feedback.
                threads.check(user_id, &thread_id)?;
                tracing::info!(
                    user_id,
                    thread_id,
                    ?kind,
                    items = item_ids.len(),
                    "feedback"
                );
                ok(&Empty {})
            }
        }
    }

    fn stream(
        &self,
        opening: Vec<ThreadStreamEvent>,
        user_id: &str,
        thread_id: &str,
        question: &str,
    ) -> Result<Response<BoxBody>, ErrorResponse> {
        let threads = self.threads.clone();
        let reply = Reply::new(opening, threads, user_id, thread_id, question)?;
        let mut response = Response::new(reply.boxed_unsync());
        let headers = response.headers_mut();
        let event_stream = HeaderValue::from_static("text/event-stream; charset=utf-8");
        headers.insert(CONTENT_TYPE, event_stream);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Without this header nginx buffers the response.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        Ok(response)
    }
}

/// An empty response document: `{}`.
#[derive(Serialize)]
struct Empty {}

fn ok(document: &impl Serialize) -> Result<Response<BoxBody>, ErrorResponse> {
    Ok(json(StatusCode::OK, document))
}

async fn read<B>(body: B) -> Result<Bytes, ErrorResponse>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ErrorResponse::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is larger than {MAX_BODY_BYTES} bytes, the limit of this server"),
        )),
        Err(error) => Err(ErrorResponse::new(
            StatusCode::BAD_REQUEST,
            format!("The body could not be read: {error}"),
        )),
    }
}
