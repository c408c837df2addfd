//! What is in a cookie cache, whichever way it is sealed.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::identity::{Session, SessionToken, User};

/// User and session as the cache has them.
pub(crate) struct CachedSession {
    pub(crate) user: Arc<User>,
    pub(crate) session: Arc<Session>,
    /// When the cache ends.
    pub(crate) expires_at: Timestamp,
}

/// The members that every kind has, checked for nothing but their types.
pub(super) struct Payload {
    session: Map<String, Value>,
    user: Map<String, Value>,
    version: String,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Members {
    session: Map<String, Value>,
    user: Map<String, Value>,
    version: Option<String>,
}

impl Payload {
    /// Reads the text of the inner object.
    pub(super) fn parse(json: &str, expires_at: Timestamp) -> Result<Self, &'static str> {
        let members = serde_json::from_str(json).map_err(|_| "malformed")?;
        Ok(Self::of(members, expires_at))
    }

    fn of(members: Members, expires_at: Timestamp) -> Self {
        Self {
            session: members.session,
            user: members.user,
            // A cache from before there were versions is of the first one.
            version: members.version.unwrap_or_else(|| "1".to_owned()),
            expires_at,
        }
    }

    /// Whether it is about the session whose cookie came with it, of the version in use, and still good.
    pub(super) fn judge(
        self,
        token: &SessionToken,
        version: &str,
        now: Timestamp,
    ) -> Result<CachedSession, &'static str> {
        if self.version != version {
            return Err("other version");
        }
        let (session, user) = (self.session()?, self.user()?);
        let is_of_cookie = session
            .token()
            .is_some_and(|cached| cached.expose() == token.expose());
        if !is_of_cookie || session.user_id() != user.id() {
            return Err("other session");
        }
        if !session.is_active_at(now) {
            return Err("session ended");
        }
        Ok(CachedSession {
            user: Arc::new(user),
            session: Arc::new(session),
            expires_at: self.expires_at,
        })
    }

    fn session(&self) -> Result<Session, &'static str> {
        let row = &self.session;
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

    fn user(&self) -> Result<User, &'static str> {
        let row = &self.user;
        let verified = row.get("emailVerified") == Some(&Value::Bool(true));
        let mut user =
            User::new(text(row, "id")?, text(row, "email")?).with_email_verified(verified);
        if let Some(name) = optional_text(row, "name")? {
            user = user.with_name(name);
        }
        if let Some(image) = optional_text(row, "image")? {
            user = user.with_image(image);
        }
        if let Some(role) = optional_text(row, "role")? {
            user = user.with_role(role);
        }
        // Whatever does not plainly say that nobody is banned is a ban.
        if !matches!(
            row.get("banned"),
            None | Some(Value::Null | Value::Bool(false))
        ) {
            let until = match row.get("banExpires") {
                None | Some(Value::Null) => None,
                Some(_) => Some(time(row, "banExpires")?),
            };
            user = user.with_ban(until);
        }
        for (name, value) in row {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => continue,
            };
            user = user.with_field(name.as_str(), text);
        }
        Ok(user)
    }
}

fn text<'r>(row: &'r Map<String, Value>, name: &str) -> Result<&'r str, &'static str> {
    match row.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err("malformed"),
    }
}

fn optional_text<'r>(
    row: &'r Map<String, Value>,
    name: &str,
) -> Result<Option<&'r str>, &'static str> {
    match row.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err("malformed"),
    }
}

/// A date as JavaScript's `toJSON` writes it.
fn time(row: &Map<String, Value>, name: &str) -> Result<Timestamp, &'static str> {
    let time: jiff::Timestamp = text(row, name)?.parse().map_err(|_| "malformed")?;
    Ok(Timestamp::from_unix_millis(time.as_millisecond()))
}

/// The claims of the kinds that are JWTs.
pub(super) struct JwtClaims {
    members: Map<String, Value>,
}

impl JwtClaims {
    /// What Better Auth allows for the kind that is signed with the secret.
    pub(super) const NO_TOLERANCE: Duration = Duration::ZERO;
    /// What it allows for the others.
    pub(super) const TOLERANCE: Duration = Duration::from_secs(15);

    /// Reads the claims; they must be an object.
    pub(super) fn parse(json: &[u8]) -> Result<Self, &'static str> {
        let members = serde_json::from_slice(json).map_err(|_| "malformed")?;
        Ok(Self { members })
    }

    fn expires_at(&self) -> Result<Timestamp, &'static str> {
        let seconds = self.members.get("exp").and_then(Value::as_i64);
        seconds.map(Timestamp::from_unix_seconds).ok_or("malformed")
    }

    /// Whether it is still good. `Ok`: when it ends, with the tolerance.
    pub(super) fn check_time(
        &self,
        now: Timestamp,
        tolerance: Duration,
    ) -> Result<Timestamp, &'static str> {
        let expires_at = self.expires_at()?.saturating_add(tolerance);
        if expires_at <= now {
            return Err("expired");
        }
        Ok(expires_at)
    }

    /// Whether it was made for nothing else than being a cache, by this issuer, about one user and session.
    pub(super) fn check_purpose(&self, issuer: Option<&str>) -> Result<(), &'static str> {
        const AUDIENCE: &str = "better-auth:session-cache";
        let is = |claim: &str, expected: &str| {
            self.members.get(claim).and_then(Value::as_str) == Some(expected)
        };
        let within = |object: &str, member: &str| {
            let object = self.members.get(object).and_then(Value::as_object);
            object.and_then(|object| object.get(member)?.as_str())
        };
        let is_issued = issuer.is_none_or(|issuer| is("iss", issuer));
        let is_consistent = within("user", "id").is_some_and(|id| is("sub", id))
            && within("session", "token").is_some_and(|token| is("sid", token));
        if is("aud", AUDIENCE) && is_issued && is_consistent {
            Ok(())
        } else {
            Err("other kind of token")
        }
    }

    pub(super) fn payload(self, expires_at: Timestamp) -> Result<Payload, &'static str> {
        // The marks of the mail tokens that are signed with the same secret.
        let is_mail = ["email", "updateTo", "requestType"]
            .iter()
            .any(|claim| self.members.contains_key(*claim));
        if is_mail {
            return Err("other kind of token");
        }
        let members = Value::Object(self.members);
        let members = Members::deserialize(members).map_err(|_| "malformed")?;
        Ok(Payload::of(members, expires_at))
    }
}
