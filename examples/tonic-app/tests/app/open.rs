//! Health checks and reflection without a token.

use tonic::Code;
use tonic_app::proto::WhoAmIRequest;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::world::World;

#[tokio::test]
async fn health_needs_no_token() {
    let world = World::new().await;
    let mut client = HealthClient::new(world.channel());
    for service in ["", "board.v1.Board"] {
        let service = service.to_owned();
        let answer = client.check(HealthCheckRequest { service }).await;
        let serving = answer.unwrap().into_inner().status();
        assert_eq!(serving, ServingStatus::Serving);
    }
    let service = "board.v1.Board".to_owned();
    let answers = client.watch(HealthCheckRequest { service }).await;
    let first = answers.unwrap().into_inner().message().await.unwrap();
    assert_eq!(first.unwrap().status(), ServingStatus::Serving);
}

/// The service definition is public; the service is not.
#[tokio::test]
async fn reflection_needs_no_token() {
    let world = World::new().await;
    let mut client = ServerReflectionClient::new(world.channel());
    let mut query = async |request: MessageRequest| {
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(request),
        };
        let answers = client.server_reflection_info(tokio_stream::once(request));
        let mut answers = answers.await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap();
        answer.message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(list) =
        query(MessageRequest::ListServices(String::new())).await
    else {
        panic!("not a list");
    };
    let names: Vec<&str> = list.service.iter().map(|service| &*service.name).collect();
    for expected in ["board.v1.Board", "grpc.health.v1.Health"] {
        assert!(names.contains(&expected), "{names:?}");
    }
    let symbol = MessageRequest::FileContainingSymbol("board.v1.Board.Watch".to_owned());
    let MessageResponse::FileDescriptorResponse(file) = query(symbol).await else {
        panic!("not a file");
    };
    assert!(!file.file_descriptor_proto.is_empty());

    let status = world.anonymous().who_am_i(WhoAmIRequest {}).await;
    assert_eq!(status.unwrap_err().code(), Code::Unauthenticated);
}
