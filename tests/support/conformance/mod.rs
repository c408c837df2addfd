//! The conformance suite: every store behaves the same behind the layer.
//!
//! Each function takes a store with the rows of [`crate::fixtures`].

mod api_keys;
mod claims;
mod credentials;
mod sessions;
mod users;

pub use self::api_keys::*;
pub use self::claims::*;
pub use self::credentials::*;
pub use self::sessions::*;
pub use self::users::*;

/// Runs the suite for stores: `store_conformance! { memory => expression; }`. The expression is a
/// store, or a pair of a store and a value that must live as long.
#[macro_export]
macro_rules! store_conformance {
    ($($name:ident => $store:expr;)*) => {$(
        mod $name {
            use super::*;

            $crate::store_conformance! { @tests $store,
                valid_token_is_accepted,
                missing_credential_is_challenged,
                malformed_bearer_is_rejected,
                malformed_token_is_rejected,
                wrong_signature_is_rejected,
                odd_jose_headers_are_rejected,
                times_are_exact_to_the_second,
                wrongly_typed_times_are_rejected,
                issuer_is_compared,
                audience_is_compared,
                unbound_token_is_rejected,
                internal_tokens_are_rejected,
                malformed_claims_are_rejected,
                email_must_be_valid,
                unknown_users_are_not_found,
                exact_email_wins,
                unicode_emails_are_not_folded,
                subject_check_is_opt_in,
                verified_email_check_is_opt_in,
                banned_users_are_rejected,
                active_session_is_required,
                preferred_session_is_chosen,
                session_id_claim_is_binding,
                all_lookup_kinds_are_resolved,
                session_token_finds_its_session,
                api_key_identifies_its_owner,
                invalid_api_keys_are_rejected,
                other_key_settings_are_opt_in,
            }
        }
    )*};
    (@tests $store:expr, $($test:ident,)*) => {$(
        #[tokio::test]
        async fn $test() {
            let (store, _keep) = $crate::conformance::Keep::split($store);
            $crate::conformance::$test(store).await;
        }
    )*};
}

/// A store, possibly with a value that must outlive it.
pub trait Keep {
    /// The store.
    type Store;
    /// The value that must outlive the store.
    type Rest;

    /// Splits the pair.
    fn split(self) -> (Self::Store, Self::Rest);
}

impl Keep for better_auth_layer::store::MemoryStore {
    type Store = Self;
    type Rest = ();

    fn split(self) -> (Self, ()) {
        (self, ())
    }
}

impl Keep for better_auth_layer::postgres::PostgresStore {
    type Store = Self;
    type Rest = ();

    fn split(self) -> (Self, ()) {
        (self, ())
    }
}

impl<S, R> Keep for (S, R) {
    type Store = S;
    type Rest = R;

    fn split(self) -> (S, R) {
        self
    }
}
