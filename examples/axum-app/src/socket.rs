//! A WebSocket that is opened after the sender is known, and closed with the session.

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    response::Response,
};
use better_auth_layer::stream::SessionEndReason;
use better_auth_layer::{CredentialSource, Identity};
use tokio::sync::broadcast::error::RecvError;

use crate::room::Room;

/// The subprotocol that is spoken. The one with the token is never answered.
const PROTOCOL: &str = "room";

const MAX_MESSAGE: usize = 4096;

/// Where a page puts a token that it cannot put into a header, as
/// `new WebSocket(url, ["room", "bearer." + encodeURIComponent(token)])`.
#[must_use]
pub fn websocket_token() -> CredentialSource {
    CredentialSource::websocket_subprotocol("bearer.")
}

/// A request without an identity does not get here, and so it gets no `101`.
pub(crate) async fn open(
    identity: Identity,
    State(room): State<Room>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_MESSAGE)
        .on_upgrade(async move |mut socket| {
            if let Some(end) = talk(&mut socket, &identity, &room).await {
                let reason = end.as_str().into();
                let code = close_code::POLICY;
                // The client may be gone.
                let _ = socket
                    .send(Message::Close(Some(CloseFrame { code, reason })))
                    .await;
            }
        })
}

/// Until the client goes (`None`) or the session ends.
async fn talk(
    socket: &mut WebSocket,
    identity: &Identity,
    room: &Room,
) -> Option<SessionEndReason> {
    let mut ended = identity.session_ended();
    let mut messages = room.listen();
    loop {
        tokio::select! {
            // Asked first: nothing more is told to somebody who may not hear it.
            biased;
            end = &mut ended => return Some(end),
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => room.say(identity, &text),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            },
            message = messages.recv() => match message {
                Ok(message) => socket.send(Message::text(message)).await.ok()?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            },
        }
    }
}
