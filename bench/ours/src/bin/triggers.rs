//! Prints the statements that make a database announce its changes.

use better_auth_layer::postgres::PostgresListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), serving::BoxError> {
    let listener = PostgresListener::builder(&std::env::var("DATABASE_URL")?).build()?;
    println!("{}", listener.trigger_sql().await?);
    Ok(())
}
