//! An axum application behind `BetterAuthLayer`: the routes, and the layers around them.

mod account;
mod admin;
mod cors;
mod events;
mod files;
mod home;
mod organization;
mod room;
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

pub use self::{cors::cors, room::Room, socket::websocket_token};

/// How long after signing in an account can be closed.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// The whole application.
pub fn app(
    auth: BetterAuthLayer,
    members: MembershipLayer,
    cors: CorsLayer,
    room: Room,
) -> NormalizePath<Router> {
    let public = Router::new().route("/health", get(async || "ok"));

    let optional = Router::new()
        .route("/", get(home::greet))
        .layer(auth.clone().optional());

    // What stands nearer to a handler comes later: the roles are looked at when it is known who it is.
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
        // `any`, as a WebSocket begins with GET in HTTP/1.1 and with CONNECT in HTTP/2.
        .route("/socket", any(socket::open))
        .with_state(room)
        .layer(auth);

    // Around everything: a preflight has no credential, and a page can read a refusal only with CORS headers on it.
    // The spans have no headers in them, and so no tokens and no cookies.
    let router = public
        .merge(optional)
        .merge(signed_in)
        .layer(cors)
        .layer(TraceLayer::new_for_http());
    // Around the router and not in it, where the route is chosen already.
    NormalizePathLayer::trim_trailing_slash().layer(router)
}
