//! The names that most tests use.

pub use std::sync::Arc;
pub use std::time::Duration;

pub use better_auth_layer::RejectionKind::{self, *};
pub use better_auth_layer::api_key::{ApiKeyHash, ApiKeys};
pub use better_auth_layer::cache::{CacheInvalidator, CachedStore, CachedStoreBuilder};
pub use better_auth_layer::clock::{Clock, SystemClock, Timestamp};
pub use better_auth_layer::config::{DatabaseStore, Env, SecretRing};
pub use better_auth_layer::csrf::TrustedOrigin;
pub use better_auth_layer::diagnostics::{Check, CheckStatus, HealthReport};
pub use better_auth_layer::jwks::{
    JwksOptions, JwsAlgorithm, KeySet, KeySource, KeySourceError, RemoteKeySource,
};
pub use better_auth_layer::organization::{Member, MembershipStore, membership_fn};
pub use better_auth_layer::postgres::{
    PostgresListener, PostgresListenerBuilder, PostgresStore, PostgresStoreBuilder, StatementMode,
};
pub use better_auth_layer::rejection::{ProblemJson, RenderRejection, RetryAfter};
pub use better_auth_layer::sqlite::{SqliteStore, SqliteStoreBuilder};
pub use better_auth_layer::store::{
    EmailKey, LookupKey, LookupKind, MemoryStore, Schema, StoreErrorKind, store_fn,
};
pub use better_auth_layer::stream::{SessionEndReason, SessionEnded, UntilSessionEnd};
pub use better_auth_layer::testing::{
    Credential, KeysFault, StoreFault, TestClock, TestDeployment,
};
pub use better_auth_layer::{
    ApiKey, Authenticate, Authenticator, BetterAuth, BetterAuthLayer, BetterAuthLayerBuilder,
    Config, ConfigError, CookieCache, CredentialKind, CredentialSource, Identity, Lookup,
    Rejection, Resolution, ResponseBody, ResponseFuture, Secret, Session, SessionToken, StoreError,
    User, UserStore,
};
pub use serde_json::{Value, json};

pub use crate::app::{App, Cookie, TestResponse, builder};
pub use crate::captured_log::CapturedLog;
pub use crate::fixtures;
pub use crate::key_server::{KeyServer, Reply};
pub use crate::mock_store::{MockStore, Mode, settle};
pub use crate::signer::{ISSUER, Signer, jwks};
pub use crate::temporary_folder::TemporaryFolder;
pub use crate::test_clock::{NOW, at, clock, now};
pub use crate::token::{
    HEADER, SECRET, base64url, claims, claims_with, sign, sign_raw, signed_session_token,
    signed_with, token_for,
};

/// The text of an error followed by those of its causes.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The email of a user with a session, see [`fixtures`].
pub const ADA: &str = "ada@example.com";
