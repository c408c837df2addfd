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
#[derive(PartialEq, Eq, Hash)]
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
                LookupKey::Email(email) => email.as_str(),
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

    pub(crate) fn is(&self, question: &Question) -> bool {
        *self == question.borrowed()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::identity::SessionToken;

    #[test]
    fn questions_are_the_same_where_all_of_them_is_but_the_time() {
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
            let question = QuestionRef::of(lookup).to_owned();
            for (other, lookup) in lookups.iter().enumerate() {
                let later = lookup.clone().at(Timestamp::MAX);
                assert_eq!(QuestionRef::of(&later).is(&question), index == other);
            }
        }
    }
}
