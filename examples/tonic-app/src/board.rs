//! The service behind the layer.

use std::pin::Pin;

use better_auth_layer::authorize::Role;
use better_auth_layer::stream::UntilSessionEnd;
use better_auth_layer::tonic::{authorize, identity};
use tokio::sync::broadcast;
use tokio_stream::{Stream, StreamExt as _, wrappers::BroadcastStream};
use tonic::{Request, Response, Status};

use crate::proto::{
    Notice, PostRequest, PostResponse, WatchRequest, WhoAmIRequest, WhoAmIResponse,
    board_server::Board,
};

/// The number of notices that a reader may lag behind.
const BACKLOG: usize = 16;

/// A board that does not store notices: it broadcasts them to the current readers.
#[derive(Debug)]
pub struct NoticeBoard {
    notices: broadcast::Sender<Notice>,
}

impl NoticeBoard {
    /// A board without notices.
    #[must_use]
    pub fn new() -> Self {
        Self {
            notices: broadcast::Sender::new(BACKLOG),
        }
    }
}

impl Default for NoticeBoard {
    fn default() -> Self {
        Self::new()
    }
}

type Notices = Pin<Box<dyn Stream<Item = Result<Notice, Status>> + Send>>;

#[tonic::async_trait]
impl Board for NoticeBoard {
    async fn who_am_i(
        &self,
        request: Request<WhoAmIRequest>,
    ) -> Result<Response<WhoAmIResponse>, Status> {
        let identity = identity(&request)?;
        Ok(Response::new(WhoAmIResponse {
            user_id: identity.user().id().to_owned(),
            email: identity.user().email().to_owned(),
            credential: identity.credential().as_str().to_owned(),
        }))
    }

    type WatchStream = UntilSessionEnd<Notices>;

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let identity = identity(&request)?;
        let notices = BroadcastStream::new(self.notices.subscribe());
        let notices: Notices =
            Box::pin(notices.map(|notice| {
                notice.map_err(|_| Status::data_loss("Too slow: notices were missed"))
            }));
        // The stream ends when the user signs out or is banned, or when the session expires.
        Ok(Response::new(UntilSessionEnd::new(notices, identity)))
    }

    async fn post(&self, request: Request<PostRequest>) -> Result<Response<PostResponse>, Status> {
        let author = authorize(&request, &Role::new("admin"))?
            .user()
            .id()
            .to_owned();
        let PostRequest { text } = request.into_inner();
        if text.is_empty() {
            return Err(Status::invalid_argument("The notice is empty"));
        }
        // An error means that there are no readers.
        let readers = self.notices.send(Notice { text, author }).unwrap_or(0);
        Ok(Response::new(PostResponse {
            readers: u32::try_from(readers).unwrap_or(u32::MAX),
        }))
    }
}
