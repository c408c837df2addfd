//! The state that the deployment, its users and its sessions share.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::TestClock;
use super::json::JsonObject;
use super::keys::IssuerKeys;
use super::store::TestStore;
use crate::clock::{Clock, Timestamp};
use crate::verify::CookieCache;

/// JavaScript's `encodeURIComponent`.
const ENCODE_URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A Better Auth deployment in this process.
///
/// All credentials are created from the documentation of Better Auth's formats, without the code
/// that verifies them, so each checks the other.
pub(super) struct Deployment {
    pub(super) base_url: String,
    pub(super) origin: String,
    pub(super) secret: String,
    pub(super) cookie_prefix: String,
    pub(super) cookie_cache: CookieCache,
    pub(super) clock: TestClock,
    pub(super) store: Arc<TestStore>,
    pub(super) keys: Arc<IssuerKeys>,
    /// The emails in use.
    pub(super) addresses: Mutex<BTreeSet<String>>,
}

impl Deployment {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reserves an email. Returns `false` if it is in use.
    pub(super) fn take_address(&self, address: &str) -> bool {
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        addresses.insert(address.to_owned())
    }

    pub(super) fn free_address(&self, address: &str) {
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        addresses.remove(address);
    }

    /// The full name of a cookie.
    pub(super) fn cookie_name(&self, name: &str) -> String {
        let prefix = if self.is_secure() { "__Secure-" } else { "" };
        format!("{prefix}{name}")
    }

    pub(super) fn is_secure(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// A value with its signature, as in Better Auth's signed cookies.
    pub(super) fn signed(&self, value: &str) -> String {
        format!("{value}.{}", STANDARD.encode(self.mac(value)))
    }

    pub(super) fn mac(&self, message: &str) -> hmac::Tag {
        mac(&self.secret, message)
    }

    /// A JWS signed with the secret.
    pub(super) fn secret_jws(&self, header: &JsonObject, claims: &JsonObject) -> String {
        jws(header, claims, |input| mac(&self.secret, input))
    }
}

/// HMAC-SHA256.
pub(super) fn mac(secret: &str, message: &str) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, message.as_bytes())
}

/// A compact JWS (RFC 7515 §7.1).
pub(super) fn jws<S: AsRef<[u8]>>(
    header: &JsonObject,
    claims: &JsonObject,
    sign: impl FnOnce(&str) -> S,
) -> String {
    let encode = |object: &JsonObject| URL_SAFE_NO_PAD.encode(object.to_json());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(&input));
    format!("{input}.{signature}")
}

/// The value of a cookie, encoded as Better Auth does.
pub(super) fn cookie_value(value: &str) -> String {
    utf8_percent_encode(value, ENCODE_URI_COMPONENT).to_string()
}

/// A date in the format of JavaScript's `toJSON`.
pub(super) fn iso_date(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(time.as_unix_millis()).unwrap_or_default();
    format!("{time:.3}")
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}
