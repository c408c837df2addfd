//! Chat messages. They arrive on a WebSocket and are sent to all WebSockets and event streams.

use better_auth_layer::Identity;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, Sender};

/// The number of messages that a receiver may lag behind.
const BACKLOG: usize = 64;

/// Broadcasts messages, as JSON, to all receivers.
#[derive(Clone, Debug)]
pub struct Chat(Sender<String>);

impl Chat {
    /// A chat without receivers.
    #[must_use]
    pub fn new() -> Self {
        Self(Sender::new(BACKLOG))
    }

    /// The number of open event streams and WebSockets.
    #[must_use]
    pub fn receivers(&self) -> usize {
        self.0.receiver_count()
    }

    pub(crate) fn subscribe(&self) -> Receiver<String> {
        self.0.subscribe()
    }

    pub(crate) fn send(&self, identity: &Identity, text: &str) {
        let message = json!({ "from": identity.user().id(), "text": text });
        // An error means that there are no receivers.
        let _ = self.0.send(message.to_string());
    }
}

impl Default for Chat {
    fn default() -> Self {
        Self::new()
    }
}
