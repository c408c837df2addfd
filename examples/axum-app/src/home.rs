//! A page for everybody that knows who has signed in.

use better_auth_layer::Identity;

/// A bad credential never gets here: who has signed in is not shown the page of a stranger because a token has expired.
pub(crate) async fn greet(identity: Option<Identity>) -> String {
    match identity {
        Some(identity) => format!("welcome back, {}\n", identity.user().id()),
        None => "hello, whoever you are\n".to_owned(),
    }
}
