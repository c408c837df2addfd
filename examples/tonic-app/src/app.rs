//! The services, and the layer around one of them.

use better_auth_layer::BetterAuthLayer;
use tonic::{
    service::LayerExt as _,
    transport::{Server, server::Router},
};
use tonic_reflection::server::{Builder as Reflection, Error as ReflectionError};

use crate::board::NoticeBoard;
use crate::proto::{FILE_DESCRIPTOR_SET, board_server::BoardServer};

/// The whole server.
///
/// The layer wraps one service. `Server::builder().layer(auth)` would require a token for health
/// checks and `grpcurl list` too.
///
/// # Errors
///
/// The reflection service cannot read the service definition.
pub async fn app(auth: BetterAuthLayer) -> Result<Router, ReflectionError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<BoardServer<NoticeBoard>>().await;
    let reflection = Reflection::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let board = BoardServer::new(NoticeBoard::new());

    Ok(Server::builder()
        .add_service(health_service)
        .add_service(reflection)
        .add_service(auth.named_layer(board)))
}
