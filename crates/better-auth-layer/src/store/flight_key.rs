//! Lookups as keys of hash maps, for the single flight and the cache.

use std::hash::{Hash, Hasher};

use super::{Lookup, LookupKey, LookupKind};

/// Everything in a lookup that decides the result, except the time.
///
/// Has no `Debug`, because the text may be a session token.
#[derive(PartialEq, Eq)]
pub(crate) struct FlightKey {
    kind: LookupKind,
    text: Box<str>,
    session_id: Option<Box<str>>,
}

/// A borrowed [`FlightKey`] with the same hash, to find an entry without an allocation.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct FlightKeyRef<'a> {
    kind: LookupKind,
    text: &'a str,
    session_id: Option<&'a str>,
}

impl<'a> FlightKeyRef<'a> {
    pub(crate) fn of(lookup: &'a Lookup<'_>) -> Self {
        let key = lookup.key();
        Self {
            kind: key.kind(),
            text: match key {
                // Determines the lower-case form as well.
                LookupKey::Email(email) => email.as_str(),
                LookupKey::UserId(id) => id,
                LookupKey::SessionToken(token) => token.expose(),
                LookupKey::ApiKey(hash) => hash.as_str(),
            },
            session_id: lookup.session_id(),
        }
    }

    pub(crate) fn to_owned(&self) -> FlightKey {
        FlightKey {
            kind: self.kind,
            text: self.text.into(),
            session_id: self.session_id.map(Into::into),
        }
    }

    pub(crate) fn is(&self, key: &FlightKey) -> bool {
        *self == key.borrowed()
    }
}

impl FlightKey {
    fn borrowed(&self) -> FlightKeyRef<'_> {
        FlightKeyRef {
            kind: self.kind,
            text: &self.text,
            session_id: self.session_id.as_deref(),
        }
    }
}

impl Hash for FlightKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::identity::SessionToken;

    #[test]
    fn keys_ignore_only_the_time() {
        let (token, now) = (SessionToken::new("text"), Timestamp::UNIX_EPOCH);
        let lookups = [
            Lookup::by_email("text", now),
            Lookup::by_email("Text", now),
            Lookup::by_user_id("text", now),
            Lookup::by_session_token(&token, now),
            Lookup::by_email("text", now).with_session_id(""),
            Lookup::by_email("text", now).with_session_id("text"),
            Lookup::by_email("", now).with_session_id("texttext"),
        ];
        for (index, lookup) in lookups.iter().enumerate() {
            let key = FlightKeyRef::of(lookup).to_owned();
            for (other, lookup) in lookups.iter().enumerate() {
                let later = lookup.clone().at(Timestamp::MAX);
                assert_eq!(FlightKeyRef::of(&later).is(&key), index == other);
            }
        }
    }
}
