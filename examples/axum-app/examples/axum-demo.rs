//! The application with an in-process Better Auth deployment and two users:
//! `cargo run -p axum-app --example axum-demo`.

use std::{error::Error, io};

use axum::{ServiceExt, extract::Request};
use axum_app::Chat;
use better_auth_layer::api_key::ApiKeys;
use better_auth_layer::organization::MembershipLayer;
use better_auth_layer::organization::{Member, membership_fn};
use better_auth_layer::testing::TestDeployment;
use tokio::net::TcpListener;

const ADDRESS: &str = "127.0.0.1:3001";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(ADDRESS).await?;
    let pages = format!("http://{ADDRESS}");
    let issuer = TestDeployment::builder().base_url(pages.as_str()).build();
    let ada = issuer
        .user("ada@example.com")
        .id("ada")
        .role("admin")
        .create();
    let bob = issuer.user("bob@example.com").id("bob").create();
    let ada = ada.session().active_organization("acme").create();
    let key = bob.api_key().permission("files", "read").create();

    let auth = issuer
        .layer_builder()
        .api_keys(ApiKeys::new())
        .prepend_credential_source(axum_app::websocket_token())
        .build()?;
    println!("listening on {pages}; paste into another terminal:\n");
    println!("ADA='{}'", ada.signed_token().text());
    println!("BOB='{}'", bob.sign_in().signed_token().text());
    println!("KEY='{}'", key.credential().text());
    println!("\nPress Enter to sign Ada out.");
    std::thread::spawn(move || {
        if io::stdin()
            .read_line(&mut String::new())
            .is_ok_and(|read| read > 0)
        {
            ada.sign_out();
            println!("Ada has signed out.");
        }
    });

    let cors = axum_app::cors(move |origin| origin == pages);
    let members = membership_fn(|user_id, organization_id| async move {
        let is_member = user_id == "ada" && organization_id == "acme";
        Ok(is_member.then(|| Member::new(user_id, organization_id).with_role("owner")))
    });
    let members = MembershipLayer::new(members);
    let app = axum_app::app(auth, members, cors, Chat::new());
    axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await?;
    Ok(())
}
