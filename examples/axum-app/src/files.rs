//! A page for users and API keys. The layer on the route checks the permission of a key.

use better_auth_layer::Identity;

pub(crate) async fn list(identity: Identity) -> String {
    match identity.api_key() {
        Some(key) => format!(
            "the files of {}, for key {}\n",
            identity.user().id(),
            key.id()
        ),
        None => format!("the files of {}\n", identity.user().id()),
    }
}
