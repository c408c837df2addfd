//! The running application with a test deployment.

use std::{net::SocketAddr, time::Duration};

use axum::{ServiceExt, extract::Request};
use axum_app::Chat;
use better_auth_layer::api_key::ApiKeys;
use better_auth_layer::organization::MembershipLayer;
use better_auth_layer::organization::{Member, membership_fn};
use better_auth_layer::testing::{TestApiKey, TestDeployment, TestSession};
use tokio::net::TcpListener;

use crate::client::{Client, Version};

/// The lifetime of Ada's session, and the age of Bob's.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) chat: Chat,
    pub(crate) issuer: TestDeployment,
    /// The new session of an administrator and member of `acme`.
    pub(crate) ada: TestSession,
    pub(crate) bob: TestSession,
    /// Permission `files: read`.
    pub(crate) key_of_ada: TestApiKey,
    /// Permission `files: list`.
    pub(crate) key_of_bob: TestApiKey,
}

impl World {
    pub(crate) async fn start() -> Self {
        let issuer = TestDeployment::new();
        let user = |name: &str| issuer.user(&format!("{name}@example.com")).id(name);
        let ada = user("ada").role("admin").create();
        let bob = user("bob").create();
        let bobs_session = bob.sign_in();
        issuer.advance(HOUR);
        let adas_session = ada.session().expires_in(HOUR).active_organization("acme");

        let auth = issuer
            .layer_builder()
            .api_keys(ApiKeys::new())
            .prepend_credential_source(axum_app::websocket_token())
            .recheck_interval(Duration::from_millis(20))
            .build()
            .unwrap();
        let chat = Chat::new();
        let pages = issuer.base_url().to_owned();
        let cors = axum_app::cors(move |origin| origin == pages);
        // Ada is a former member of `initech`.
        let members = membership_fn(|user_id, organization_id| async move {
            let is_member = user_id == "ada" && organization_id == "acme";
            Ok(is_member.then(|| Member::new(user_id, organization_id).with_role("owner")))
        });
        let members = MembershipLayer::new(members);
        let app = axum_app::app(auth, members, cors, chat.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let service = ServiceExt::<Request>::into_make_service(app);
            axum::serve(listener, service).await.unwrap();
        });
        Self {
            address,
            chat,
            ada: adas_session.create(),
            bob: bobs_session,
            key_of_ada: ada
                .api_key()
                .id("key_ada")
                .permission("files", "read")
                .create(),
            key_of_bob: bob.api_key().permission("files", "list").create(),
            issuer,
        }
    }

    pub(crate) fn client(&self, version: Version) -> Client {
        Client::new(self.address, version)
    }
}
