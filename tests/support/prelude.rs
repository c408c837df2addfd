//! The names that most tests use.

pub use std::sync::Arc;
pub use std::time::Duration;

pub use better_auth_layer::RejectionKind::{self, *};
pub use better_auth_layer::testing::{
    Credential, KeysFault, StoreFault, TestClock, TestDeployment,
};
pub use better_auth_layer::{
    ApiKey, ApiKeyHash, ApiKeys, Authenticate, Authenticator, BetterAuth, BetterAuthLayer,
    BetterAuthLayerBuilder, CacheInvalidator, CachedStore, CachedStoreBuilder, Check, CheckStatus,
    Clock, Column, Config, ConfigError, CookieCache, CredentialKind, CredentialSource,
    DatabaseStore, DatabaseUrl, EmailKey, Env, HealthReport, Identity, JwksOptions, JwsAlgorithm,
    KeySet, KeySource, KeySourceError, Lookup, LookupKey, LookupKind, Member, MembershipFn,
    MembershipStore, MemoryStore, Naming, PostgresKeySource, PostgresListener,
    PostgresListenerBuilder, PostgresStore, PostgresStoreBuilder, ProblemJson, Rejection,
    RemoteKeySource, RenderRejection, Resolution, ResponseBody, ResponseFuture, RetryAfter, Schema,
    Secret, SecretError, SecretRing, Session, SessionEndReason, SessionEnded, SessionToken,
    SqliteKeySource, SqliteStore, SqliteStoreBuilder, StatementMode, StoreError, StoreErrorKind,
    StoreFn, SystemClock, TableName, TableNameError, Timestamp, TrustedOrigin, UntilSessionEnd,
    User, UserStore, membership_fn, store_fn,
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

/// The email of a user with a session, see [`fixtures`].
pub const ADA: &str = "ada@example.com";
