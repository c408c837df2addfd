//! Server-sent events that end with the session.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::State,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use better_auth_layer::Identity;
use better_auth_layer::stream::UntilSessionEnd;
use tokio_stream::{StreamExt as _, wrappers::BroadcastStream};

use crate::chat::Chat;

pub(crate) async fn stream(
    identity: Identity,
    State(chat): State<Chat>,
) -> Response<UntilSessionEnd<Body>> {
    // An error means that the receiver lagged and missed messages.
    let messages = BroadcastStream::new(chat.subscribe()).filter_map(Result::ok);
    let events = messages.map(|message| Ok::<_, Infallible>(Event::default().data(message)));
    let response = Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response();
    response.map(|body| UntilSessionEnd::new(body, &identity))
}
