//! Pages of one's own.

use axum::Json;
use better_auth_layer::{Identity, Session};
use serde_json::{Value, json};

pub(crate) async fn show(identity: Identity) -> Json<Value> {
    let user = identity.user();
    Json(json!({
        "id": user.id(),
        "email": user.email(),
        "credential": identity.credential().as_str(),
    }))
}

/// Only soon after signing in, and not by an administrator in the user's place: the layer on the route has seen to it.
pub(crate) async fn close(session: Session) -> String {
    format!("the account of {} would be closed now\n", session.user_id())
}
