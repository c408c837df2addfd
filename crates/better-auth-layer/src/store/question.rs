//! A lookup as a key.

use std::hash::{Hash, Hasher};

use super::{Lookup, LookupKey, LookupKind};

/// All of a lookup that decides who is found, which is everything but the time. Compared whole: two questions whose
/// hashes meet are still two.
///
/// No `Debug`: the text may be a session token.
#[derive(PartialEq, Eq)]
pub(crate) struct Question {
    kind: LookupKind,
    text: Box<str>,
    session_id: Option<Box<str>>,
}

/// [`Question`] in the words of a lookup, for finding it without allocating. Hashes to the same.
#[derive(Hash)]
pub(crate) struct QuestionRef<'a> {
    kind: LookupKind,
    text: &'a str,
    session_id: Option<&'a str>,
}

impl<'a> QuestionRef<'a> {
    pub(crate) fn of(lookup: &'a Lookup<'_>) -> Self {
        let key = lookup.key();
        Self {
            kind: key.kind(),
            text: match key {
                // The other spelling follows from this one.
                LookupKey::Email(email) => email.as_given(),
                LookupKey::UserId(id) => id,
                LookupKey::SessionToken(token) => token.expose(),
                LookupKey::ApiKey(hash) => hash.as_str(),
            },
            session_id: lookup.session_id(),
        }
    }

    pub(crate) fn to_owned(&self) -> Question {
        Question {
            kind: self.kind,
            text: self.text.into(),
            session_id: self.session_id.map(Into::into),
        }
    }
}

impl PartialEq for QuestionRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.text == other.text && self.session_id == other.session_id
    }
}

impl Question {
    fn borrowed(&self) -> QuestionRef<'_> {
        QuestionRef {
            kind: self.kind,
            text: &self.text,
            session_id: self.session_id.as_deref(),
        }
    }
}

impl Hash for Question {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}
