//! Creates the layer with one of the stores.

use std::env;

use better_auth_layer::cache::CachedStore;
use better_auth_layer::clock::Timestamp;
use better_auth_layer::jwks::KeySet;
use better_auth_layer::postgres::{PostgresListener, PostgresStore};
use better_auth_layer::store::MemoryStore;
use better_auth_layer::{BetterAuthLayer, Secret, Session, User};
use serving::{BoxError, Settings};

use crate::{Arguments, StoreKind};

/// Creates a layer that accepts both kinds of token.
///
/// # Errors
///
/// If the settings are invalid or the database is unavailable.
pub async fn layer(settings: &Settings, arguments: Arguments) -> Result<BetterAuthLayer, BoxError> {
    let builder = BetterAuthLayer::builder()
        .secret(Secret::new(settings.secret.clone())?)
        .issuer(settings.issuer.clone())
        .base_url(&settings.issuer)
        .key_source(settings.jwks.parse::<KeySet>()?);
    let builder = match arguments.store {
        StoreKind::Memory => builder.jwt_cache_capacity(0).store(memory(arguments.size)),
        StoreKind::Postgres => builder.store(postgres(arguments.limits).await?),
        StoreKind::Cached => builder.store(cached(arguments.size).await?),
    };
    Ok(builder.build()?)
}

/// The first users that the rig's tokens name.
fn memory(users: usize) -> MemoryStore {
    let store = MemoryStore::new();
    for number in 1..=users {
        let id = format!("usr_{number}");
        store.insert_session(Session::new(
            format!("ses_{number}_1"),
            &*id,
            Timestamp::MAX,
        ));
        store.insert_user(User::new(id, format!("user{number}@example.com")));
    }
    store
}

async fn postgres(limits: Option<[usize; 2]>) -> Result<PostgresStore, BoxError> {
    let builder = PostgresStore::builder(&database()?);
    let builder = match limits {
        Some([lanes, in_flight]) => builder.batch_connections(lanes).max_in_flight(in_flight),
        None => builder,
    };
    Ok(builder.connect().await?)
}

async fn cached(max_entries: usize) -> Result<CachedStore<PostgresStore>, BoxError> {
    let url = database()?;
    let store = CachedStore::builder(PostgresStore::connect(&url).await?)
        .max_entries(max_entries)
        .build()?;
    PostgresListener::builder(&url)
        .build()?
        .listen(&store.invalidator());
    Ok(store)
}

fn database() -> Result<String, BoxError> {
    env::var("DATABASE_URL").map_err(|_| "DATABASE_URL is not set".into())
}
