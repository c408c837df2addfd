//! Prints the SQL of the triggers that notify the listener.

use better_auth_layer::postgres::PostgresListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), serving::BoxError> {
    let listener = PostgresListener::builder(&std::env::var("DATABASE_URL")?).build()?;
    println!("{}", listener.trigger_sql().await?);
    Ok(())
}
