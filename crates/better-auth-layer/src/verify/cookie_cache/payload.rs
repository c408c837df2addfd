//! User and session in a cookie cache, whichever way it is signed.

use std::borrow::Cow;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::credential::InvalidReason;
use crate::identity::{Session, SessionToken, User};
use crate::verify::json_object::{JsonObject, Malformed};
use crate::verify::verified::CachedSession;

/// The members that the caches of all strategies have.
pub(super) struct Payload {
    user: User,
    session: Session,
    version: String,
}

impl Payload {
    pub(super) fn parse(object: &JsonObject<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            user: user(&object.object("user")?.ok_or(Malformed)?)?,
            session: session(&object.object("session")?.ok_or(Malformed)?)?,
            // Older versions of Better Auth write no version; it counts as the first.
            version: optional_text(object, "version")?
                .unwrap_or("1".into())
                .into(),
        })
    }

    /// Returns user and session if they belong to the session token of the same request, have the
    /// configured version, and the session is active.
    pub(super) fn session_for(
        self,
        token: &SessionToken,
        version: &str,
        now: Timestamp,
    ) -> Result<CachedSession, InvalidReason> {
        let Self { user, session, .. } = self;
        let cached_token = session.token();
        let is_same_token = cached_token.is_some_and(|cached| cached.expose() == token.expose());
        if self.version != version {
            Err(InvalidReason::CookieCacheOfOtherVersion)
        } else if !is_same_token || session.user_id() != user.id() {
            Err(InvalidReason::CookieCacheOfOtherSession)
        } else if !session.is_active_at(now) {
            Err(InvalidReason::CookieCacheSessionEnded)
        } else {
            Ok(CachedSession {
                user: Arc::new(user),
                session: Arc::new(session),
            })
        }
    }
}

fn session(row: &JsonObject<'_>) -> Result<Session, Malformed> {
    let (id, user_id) = (text(row, "id")?, text(row, "userId")?);
    let mut session = Session::new(id, user_id, time(row, "expiresAt")?)
        .with_token(SessionToken::new(text(row, "token")?))
        .with_created_at(time(row, "createdAt")?);
    if let Some(admin) = optional_text(row, "impersonatedBy")? {
        session = session.with_impersonated_by(admin);
    }
    if let Some(organization) = optional_text(row, "activeOrganizationId")? {
        session = session.with_active_organization_id(organization);
    }
    Ok(session)
}

fn user(row: &JsonObject<'_>) -> Result<User, Malformed> {
    let is_verified = row.get("emailVerified") == Some("true");
    let mut user =
        User::new(text(row, "id")?, text(row, "email")?).with_email_verified(is_verified);
    if let Some(name) = optional_text(row, "name")? {
        user = user.with_name(name);
    }
    if let Some(image) = optional_text(row, "image")? {
        user = user.with_image(image);
    }
    if let Some(role) = optional_text(row, "role")? {
        user = user.with_role(role);
    }
    // Any other value of `banned` counts as a ban.
    if !matches!(row.get("banned"), None | Some("null" | "false")) {
        let until = match row.get("banExpires") {
            None | Some("null") => None,
            Some(_) => Some(time(row, "banExpires")?),
        };
        user = user.with_ban(until);
    }
    for (name, value) in row.iter() {
        let field = match value.as_bytes().first() {
            Some(b'"') => row.string(name)?.ok_or(Malformed)?,
            Some(b'[' | b'{') | None => continue,
            Some(_) if value == "null" => continue,
            Some(_) => value.into(),
        };
        user = user.with_field(name, field);
    }
    Ok(user)
}

/// A required text that is not empty.
fn text<'a>(row: &JsonObject<'a>, name: &str) -> Result<Cow<'a, str>, Malformed> {
    let text = row.string(name)?.filter(|text| !text.is_empty());
    text.ok_or(Malformed)
}

fn optional_text<'a>(row: &JsonObject<'a>, name: &str) -> Result<Option<Cow<'a, str>>, Malformed> {
    match row.get(name) {
        Some("null") => Ok(None),
        _ => row.string(name),
    }
}

/// A date in the format of JavaScript's `Date.toJSON`.
fn time(row: &JsonObject<'_>, name: &str) -> Result<Timestamp, Malformed> {
    let time: jiff::Timestamp = text(row, name)?.parse().map_err(|_| Malformed)?;
    Ok(Timestamp::from_unix_millis(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = r#""id":"usr_ada","email":"ada@example.com""#;
    const SESSION: &str = r#""id":"ses_ada","userId":"usr_ada","token":"t",
        "expiresAt":"2999-01-01T00:00:00.000Z","createdAt":"2026-11-23T11:44:02.090Z""#;

    fn parse(user: &str, session: &str, others: &str) -> Result<Payload, Malformed> {
        let json = format!(r#"{{"user":{{{user}}},"session":{{{session}}}{others}}}"#);
        Payload::parse(&JsonObject::parse(&json)?)
    }

    #[test]
    fn duplicate_members_are_rejected() {
        assert!(parse(USER, SESSION, "").is_ok());
        assert!(parse(USER, SESSION, r#","user":{}"#).is_err());
        assert!(parse(&format!(r#"{USER},"id":"usr_ada""#), SESSION, "").is_err());
        assert!(parse(USER, &format!(r#"{SESSION},"token":"t""#), "").is_err());
        assert!(parse(&format!(r#"{USER},"x":1,"\u0078":1"#), SESSION, "").is_err());
    }

    #[test]
    fn scalar_fields_are_text() {
        let fields = r#","a":"x\ny","b":7,"c":true,"d":null,"e":[],"f":{}"#;
        let payload = parse(&format!("{USER}{fields}"), SESSION, "").ok().unwrap();
        let field = |name| payload.user.field(name);
        assert_eq!(
            ["a", "b", "c"].map(field),
            [Some("x\ny"), Some("7"), Some("true")]
        );
        assert_eq!(["d", "e", "f"].map(field), [None; 3]);
        assert_eq!(payload.version, "1");
    }
}
