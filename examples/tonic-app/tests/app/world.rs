//! A running server with a test deployment.

use std::{net::SocketAddr, time::Duration};

use better_auth_layer::testing::{Credential, TestDeployment};
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint, server::TcpIncoming},
};
use tonic_app::{Bearer, app, proto::board_client::BoardClient};

/// A server and its deployment.
pub(crate) struct World {
    pub(crate) issuer: TestDeployment,
    address: SocketAddr,
}

impl World {
    pub(crate) async fn new() -> Self {
        let issuer = TestDeployment::new();
        let auth = issuer
            .layer_builder()
            .recheck_interval(Duration::from_millis(50))
            .build()
            .unwrap();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        tokio::spawn(app(auth).await.unwrap().serve_with_incoming(incoming));
        Self { issuer, address }
    }

    pub(crate) fn channel(&self) -> Channel {
        let url = format!("http://{}", self.address);
        Endpoint::from_shared(url).unwrap().connect_lazy()
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> BoardClient<Channel> {
        BoardClient::new(self.channel())
    }

    /// A client with a token.
    pub(crate) fn client(
        &self,
        token: &Credential,
    ) -> BoardClient<InterceptedService<Channel, Bearer>> {
        let bearer = Bearer::new(token.text()).unwrap();
        BoardClient::with_interceptor(self.channel(), bearer)
    }
}
