//! Calls the notice board, with the token in `TOKEN`.

use std::{env, error::Error, process::ExitCode};

use tonic::{
    Status,
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};
use tonic_app::{
    Bearer,
    proto::{PostRequest, WatchRequest, WhoAmIRequest, board_client::BoardClient},
};

const USAGE: &str = "\
usage: client whoami          print the authenticated user
       client watch           print new notices until the session ends
       client post TEXT       post a notice (administrators only)

variables: TOKEN   a token of the deployment
           SERVER  URL of the server (http://127.0.0.1:50051)";

#[tokio::main]
async fn main() -> ExitCode {
    match call().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast::<Status>() {
                Ok(status) => eprintln!("error: {:?}: {}", status.code(), status.message()),
                Err(error) => eprintln!("error: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

async fn call() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["whoami"] => {
            let answer = board()?.who_am_i(WhoAmIRequest {}).await?;
            let caller = answer.into_inner();
            println!("{} {} {}", caller.user_id, caller.email, caller.credential);
        }
        ["watch"] => {
            let mut notices = board()?.watch(WatchRequest {}).await?.into_inner();
            println!("watching");
            while let Some(notice) = notices.message().await? {
                println!("{}: {}", notice.author, notice.text);
            }
        }
        ["post", text] => {
            let text = text.to_owned();
            let posted = board()?.post(PostRequest { text }).await?.into_inner();
            println!("posted; {} watching", posted.readers);
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn board() -> Result<BoardClient<InterceptedService<Channel, Bearer>>, Box<dyn Error>> {
    let server = env::var("SERVER").unwrap_or_else(|_| "http://127.0.0.1:50051".to_owned());
    let token = env::var("TOKEN").map_err(|_| "`TOKEN` is not set; set it to a token")?;
    let channel = Endpoint::try_from(server)?.connect_lazy();
    Ok(BoardClient::with_interceptor(channel, Bearer::new(&token)?))
}
