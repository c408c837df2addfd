//! The notice board with an in-process Better Auth deployment and two users:
//! `cargo run -p tonic-app --example tonic-demo`.

use std::{error::Error, io};

use better_auth_layer::clock::{Clock as _, SystemClock};
use better_auth_layer::testing::{TestClock, TestDeployment};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic_app::app;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = TestDeployment::builder()
        .clock(TestClock::at(SystemClock.now()))
        .build();
    let ada = issuer.user("ada@example.com").create().sign_in();
    let grace = issuer.user("grace@example.com").role("admin");
    let grace = grace.create().sign_in();

    let listener = TcpListener::bind("127.0.0.1:50051").await?;
    println!(
        "listening on http://{}

export ADA='{}'
export GRACE='{}'

Press Enter to sign Ada out.",
        listener.local_addr()?,
        ada.signed_token().text(),
        grace.signed_token().text(),
    );
    let incoming = TcpIncoming::from(listener);
    let server = tokio::spawn(app(issuer.layer()).await?.serve_with_incoming(incoming));

    io::stdin().read_line(&mut String::new())?;
    ada.sign_out();
    println!("Ada has signed out. Press Ctrl-C to stop the server.");
    server.await??;
    Ok(())
}
