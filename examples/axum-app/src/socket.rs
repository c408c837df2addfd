//! A WebSocket that opens after authentication and closes with the session.

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

use crate::chat::Chat;

/// The selected subprotocol. The server never selects the one with the token.
const PROTOCOL: &str = "chat";

const MAX_MESSAGE: usize = 4096;

/// Reads the token from a subprotocol, as browsers cannot set headers on a WebSocket:
/// `new WebSocket(url, ["chat", "bearer." + encodeURIComponent(token)])`.
#[must_use]
pub fn websocket_token() -> CredentialSource {
    CredentialSource::websocket_subprotocol("bearer.")
}

/// Requests without an identity are rejected before the upgrade.
pub(crate) async fn open(
    identity: Identity,
    State(chat): State<Chat>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_MESSAGE)
        .on_upgrade(async move |mut socket| {
            if let Some(end) = relay(&mut socket, &identity, &chat).await {
                let reason = end.as_str().into();
                let code = close_code::POLICY;
                // The client may have disconnected.
                let _ = socket
                    .send(Message::Close(Some(CloseFrame { code, reason })))
                    .await;
            }
        })
}

/// Runs until the client disconnects (`None`) or the session ends.
async fn relay(
    socket: &mut WebSocket,
    identity: &Identity,
    chat: &Chat,
) -> Option<SessionEndReason> {
    let mut ended = identity.session_ended();
    let mut messages = chat.subscribe();
    loop {
        tokio::select! {
            // Polled first, so that no message is sent after the session end.
            biased;
            end = &mut ended => return Some(end),
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => chat.send(identity, &text),
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
