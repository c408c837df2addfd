//! The contract that every store fulfils together with the layer: one suite, a line per store.
//!
//! Each function takes a store that holds [`crate::fixtures`].

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

/// Runs the suite for stores: `store_conformance! { memory => expression; }`. The expression yields the store, or a
/// pair of the store and something that must live as long.
#[macro_export]
macro_rules! store_conformance {
    ($($name:ident => $store:expr;)*) => {$(
        mod $name {
            use super::*;

            $crate::store_conformance! { @tests $store,
                a_good_token_reaches_the_service,
                a_request_without_a_credential_is_challenged,
                an_authorization_that_is_no_bearer_token_is_refused,
                a_token_of_the_wrong_form_is_refused,
                a_token_signed_otherwise_is_refused,
                headers_that_ask_for_another_treatment_are_refused,
                times_decide_to_the_second,
                times_of_the_wrong_type_are_refused,
                the_issuer_is_compared_where_one_is_configured,
                the_audience_is_compared_where_the_token_names_one,
                a_token_without_any_binding_is_refused,
                better_auths_own_tokens_are_refused,
                claims_sets_that_are_no_plain_object_are_refused,
                the_e_mail_address_must_be_one,
                users_that_do_not_exist_are_not_found,
                the_exact_spelling_of_an_address_wins,
                unicode_and_odd_addresses_are_compared_as_they_are,
                a_subject_is_compared_on_request_only,
                an_unverified_address_is_refused_on_request_only,
                banned_users_are_refused_while_the_ban_lasts,
                users_without_an_active_session_are_refused,
                the_preferred_of_several_sessions_is_taken,
                a_token_that_names_a_session_gets_that_one_or_none,
                every_kind_of_lookup_is_answered,
                a_session_token_names_its_session_and_nobody_elses,
                an_api_key_stands_for_its_owner,
                api_keys_that_are_not_good_are_refused,
                other_configurations_and_headers_are_accepted_on_request,
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

/// A store, or a store with what must outlive it.
pub trait Keep {
    /// The store.
    type Store;
    /// What must outlive it.
    type Rest;

    /// Takes the two apart.
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
