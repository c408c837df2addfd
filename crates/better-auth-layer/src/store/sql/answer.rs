//! What the rows of a lookup mean.

use crate::identity::{Session, User};
use crate::store::{Lookup, LookupKey, LookupKind, Resolution, StoreError, StoreErrorKind};

/// A row: the user and the session in it, as far as there are any.
pub(crate) type Pair = (Option<User>, Option<Session>);

/// Finds the answer among the rows of a statement.
///
/// A database compares in its own way: `007` is the number 7, `citext` and `NOCASE` do not look at case, `char(n)` not
/// at blanks. What is not literally what was asked for is not it, and two users for one key are nobody: which of them
/// was meant cannot be known.
pub(crate) fn answer(
    pairs: impl IntoIterator<Item = Pair>,
    lookup: &Lookup<'_>,
) -> Result<Resolution, StoreError> {
    let mut pairs: Vec<Pair> = pairs
        .into_iter()
        .filter(|pair| is_asked_for(pair, lookup.key()))
        .collect();
    if let LookupKey::Email(email) = lookup.key() {
        let exact = |(user, _): &Pair| {
            user.as_ref()
                .is_some_and(|user| user.email() == email.as_str())
        };
        if pairs.iter().any(exact) {
            pairs.retain(exact);
        }
    }
    let Some((user, session)) = pairs.pop() else {
        return Ok(match lookup.key().kind() {
            LookupKind::SessionToken => Resolution::NoActiveSession,
            LookupKind::ApiKey => Resolution::ApiKeyNotFound,
            LookupKind::Email | LookupKind::UserId => Resolution::UserNotFound,
        });
    };
    if !pairs.is_empty() {
        let cause = format!("several rows answer a lookup {}", lookup.key().kind());
        return Err(StoreError::new(StoreErrorKind::WrongAnswer, cause));
    }
    let Some(user) = user else {
        return Ok(Resolution::UserNotFound);
    };
    let session_id = lookup.session_id();
    let session = session.filter(|session| session_id.is_none_or(|id| id == session.id()));
    Ok(match session {
        Some(session) => Resolution::found(user, session),
        None => Resolution::NoActiveSession,
    })
}

fn is_asked_for((user, session): &Pair, key: &LookupKey<'_>) -> bool {
    match key {
        LookupKey::Email(email) => user
            .as_ref()
            .is_some_and(|user| email.matches(user.email())),
        LookupKey::UserId(id) => user.as_ref().is_some_and(|user| id == user.id()),
        LookupKey::SessionToken(token) => session
            .as_ref()
            .and_then(Session::token)
            .is_some_and(|found| found.expose() == token.expose()),
        LookupKey::ApiKey(_) => false,
    }
}
