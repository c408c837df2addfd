//! What is said in the application: it comes in at the WebSocket and goes out there and as events.

use better_auth_layer::Identity;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, Sender};

/// How many messages a listener may be behind before it misses some.
const BACKLOG: usize = 64;

/// Where everybody hears everybody. What they hear are lines of JSON.
#[derive(Clone, Debug)]
pub struct Room(Sender<String>);

impl Room {
    /// With nobody in it.
    #[must_use]
    pub fn new() -> Self {
        Self(Sender::new(BACKLOG))
    }

    /// How many event streams and sockets are listening.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.0.receiver_count()
    }

    pub(crate) fn listen(&self) -> Receiver<String> {
        self.0.subscribe()
    }

    pub(crate) fn say(&self, identity: &Identity, text: &str) {
        let message = json!({ "from": identity.user().id(), "text": text });
        // An error says that nobody listens.
        let _ = self.0.send(message.to_string());
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}
