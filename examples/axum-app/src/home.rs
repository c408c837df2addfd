//! A public page that recognizes authenticated users.

use better_auth_layer::Identity;

/// Requests with an invalid credential are rejected by the layer. They do not get the public page.
pub(crate) async fn greet(identity: Option<Identity>) -> String {
    match identity {
        Some(identity) => format!("welcome back, {}\n", identity.user().id()),
        None => "hello, guest\n".to_owned(),
    }
}
