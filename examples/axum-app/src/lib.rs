//! An axum application behind `BetterAuthLayer`: routes and layers.

mod account;
mod admin;
mod chat;
mod cors;
mod events;
mod files;
mod home;
mod organization;
mod socket;

use std::time::Duration;

use axum::{
    Router,
    routing::{any, delete, get},
};
use better_auth_layer::BetterAuthLayer;
use better_auth_layer::authorize::{
    ApiKeyPermission, AuthorizeLayer, FreshSession, NotImpersonated, Policy as _, Role,
};
use better_auth_layer::organization::MembershipLayer;
use tower::Layer as _;
use tower_http::{
    cors::CorsLayer,
    normalize_path::{NormalizePath, NormalizePathLayer},
    trace::TraceLayer,
};

pub use self::{chat::Chat, cors::cors, socket::websocket_token};

/// The maximum age of a session that may close the account.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// The whole application.
pub fn app(
    auth: BetterAuthLayer,
    members: MembershipLayer,
    cors: CorsLayer,
    chat: Chat,
) -> NormalizePath<Router> {
    let public = Router::new().route("/health", get(async || "ok"));

    let optional = Router::new()
        .route("/", get(home::greet))
        .layer(auth.clone().optional());

    // The layer of the router runs first and authenticates. The layers of a route authorize.
    let admins = AuthorizeLayer::new(Role::new("admin"));
    let readers = AuthorizeLayer::new(ApiKeyPermission::new("files", "read"));
    let owners = AuthorizeLayer::new(FreshSession::within(FRESH).and(NotImpersonated));
    let signed_in = Router::new()
        .route("/me", get(account::show))
        .route("/account", delete(account::close).layer(owners))
        .route("/admin", get(admin::show).layer(admins))
        .route("/organization", get(organization::show).layer(members))
        .route("/files", get(files::list).layer(readers))
        .route("/events", get(events::stream))
        // `any`: a WebSocket handshake is a GET in HTTP/1.1 and a CONNECT in HTTP/2.
        .route("/socket", any(socket::open))
        .with_state(chat)
        .layer(auth);

    // CORS is the outer layer: preflight requests have no credential, and pages can read a
    // rejection only if it has CORS headers. The spans of `TraceLayer` contain no headers, so they
    // contain no credentials.
    let router = public
        .merge(optional)
        .merge(signed_in)
        .layer(cors)
        .layer(TraceLayer::new_for_http());
    // This layer wraps the router because a layer inside of it runs after routing.
    NormalizePathLayer::trim_trailing_slash().layer(router)
}
