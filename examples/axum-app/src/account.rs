//! The account of the caller.

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

/// The layer on the route requires a fresh session that is not an impersonation.
pub(crate) async fn close(session: Session) -> String {
    format!("the account of {} would be closed now\n", session.user_id())
}
