//! The users in the database and their requests.

use serde_json::{Value, json};
use support::fixtures::POSTGRES_TABLES;
use support::signer::Signer;
use support::token::{HEADER, SECRET, sign_raw, signed_session_token};

use super::client::post;
use super::kind::Kind;

/// Users with a session, without one, and banned users.
const USERS: usize = 200;
const SESSIONLESS: usize = 40;
const BANNED: usize = 20;

/// Longer than any run.
const LIFETIME_SECONDS: i64 = 24 * 60 * 60;

/// A request, and the expected response of the service behind the layer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) token: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) echo: String,
}

/// The users with their requests, which are signed in advance.
#[derive(Debug)]
pub(crate) struct Users(Vec<(Kind, Vec<Asked>)>);

/// The error of an issuer's clock.
const HOUR: i64 = 60 * 60;

/// The machine's time in seconds.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// The header line with a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// The claims of a secret-signed token.
pub(crate) fn mail_claims(email: &str) -> String {
    json!({ "email": email, "iat": now() - 5, "exp": now() + LIFETIME_SECONDS }).to_string()
}

/// The claims of a token that the issuer signed `ago` seconds ago for fifteen minutes.
pub(crate) fn key_claims(issuer: &str, user: &str, ago: i64) -> Value {
    let signed_at = now() - ago;
    json!({
        "sub": user, "iss": issuer, "aud": issuer, "iat": signed_at, "exp": signed_at + 900,
    })
}

impl Users {
    /// `prefix` starts every id, so a database can hold two sets of users with the same emails.
    pub(crate) fn new(prefix: &str, issuer: &str, signer: &Signer) -> Self {
        let token = |email: &str| sign_raw(HEADER, mail_claims(email), SECRET);
        let user = |number: usize| {
            (
                format!("{prefix}_{number}"),
                format!("user{number}@example.com"),
            )
        };
        let asked = |token: &str, echo: String| Asked {
            bytes: post(&bearer(token)),
            token: token.to_owned(),
            echo,
        };
        let many =
            |many: usize, one: &dyn Fn(usize) -> Asked| (0..many).map(one).collect::<Vec<_>>();
        let impostor = Signer::ed25519("first");
        let mut long = key_claims(issuer, "usr_0", 0);
        long["exp"] = json!(now() + LIFETIME_SECONDS);
        let by_key = |signer: &Signer, user: &str| {
            let mut claims = long.clone();
            claims["sub"] = json!(user);
            signer.sign(&claims)
        };
        let stranger = Signer::ed25519("stranger");
        let skewed = |ago: i64, not_before: bool, id: &str| {
            let mut claims = key_claims(issuer, id, ago);
            if not_before {
                claims["nbf"] = claims["iat"].clone();
            }
            signer.sign(&claims)
        };
        let good = |make: &dyn Fn(usize, &str, &str) -> String| {
            many(USERS, &|number| {
                let (id, email) = user(number);
                asked(&make(number, &id, &email), format!("{id} {email}"))
            })
        };
        Self(vec![
            (Kind::Token, good(&|_, _, email| token(email))),
            (
                Kind::Session,
                good(&|number, _, _| signed_session_token(&session_token(prefix, number))),
            ),
            (Kind::Key, good(&|_, id, _| by_key(signer, id))),
            (
                Kind::Bad,
                many(USERS, &|number| {
                    let (_, email) = user(number);
                    let bad = match number % 3 {
                        0 => sign_raw(HEADER, mail_claims(&email), "some-other-secret-altogether"),
                        1 => format!("{}x", token(&email)),
                        _ => format!("{}.x", session_token(prefix, number)),
                    };
                    asked(&bad, String::new())
                }),
            ),
            (
                Kind::ForgedKey,
                many(USERS, &|number| {
                    asked(&by_key(&impostor, &user(number).0), String::new())
                }),
            ),
            (
                Kind::UnknownKey,
                many(USERS, &|number| {
                    asked(&by_key(&stranger, &user(number).0), String::new())
                }),
            ),
            (Kind::Ahead, good(&|_, id, _| skewed(-HOUR, false, id))),
            (
                Kind::NotYet,
                many(USERS, &|number| {
                    asked(&skewed(-HOUR, true, &user(number).0), String::new())
                }),
            ),
            (Kind::Behind, good(&|_, id, _| skewed(HOUR, false, id))),
            (
                Kind::NoUser,
                many(USERS, &|number| {
                    asked(
                        &token(&format!("nobody{number}@example.com")),
                        String::new(),
                    )
                }),
            ),
            (
                Kind::NoSession,
                many(SESSIONLESS, &|number| {
                    asked(&token(&format!("idle{number}@example.com")), String::new())
                }),
            ),
            (
                Kind::Banned,
                many(BANNED, &|number| {
                    asked(
                        &token(&format!("banned{number}@example.com")),
                        String::new(),
                    )
                }),
            ),
        ])
    }

    /// The requests of a kind.
    pub(crate) fn requests(&self, kind: Kind) -> &[Asked] {
        let of_kind = self.0.iter().find(|(of, _)| *of == kind);
        &of_kind.expect("every kind is made").1
    }

    /// The statements that create Better Auth's tables with all users.
    pub(crate) fn sql(prefix: &str) -> String {
        let users = [("user", USERS), ("idle", SESSIONLESS), ("banned", BANNED)];
        let mut sql = POSTGRES_TABLES.to_owned();
        for (name, many) in users {
            let id = if name == "user" { prefix } else { name };
            sql += &format!(
                r#"INSERT INTO "user" ("id", "name", "email", "emailVerified", "banned")
                SELECT '{id}_' || n, 'Somebody', '{name}' || n || '@example.com', true, {}
                FROM generate_series(0, {}) AS n;"#,
                name == "banned",
                many - 1,
            );
        }
        sql += &format!(
            r#"INSERT INTO "session" ("id", "token", "userId", "expiresAt")
            SELECT 'ses_' || "id", '{prefix}x' || lpad(split_part("id", '_', 2), 28, '0'), "id", '2999-01-01'
            FROM "user" WHERE "id" LIKE '{prefix}\_%';
            INSERT INTO "session" ("id", "token", "userId", "expiresAt")
            SELECT 'ses_' || "id", md5("id"), "id", '2999-01-01' FROM "user" WHERE "id" LIKE 'banned\_%';
            INSERT INTO "session" ("id", "token", "userId", "expiresAt")
            SELECT 'ses_' || "id", md5("id"), "id", '2001-01-01' FROM "user" WHERE "id" LIKE 'idle\_%';
            CHECKPOINT"#
        );
        sql
    }
}

/// In Better Auth's format: 32 letters and digits.
fn session_token(prefix: &str, number: usize) -> String {
    format!("{prefix}x{number:028}")
}
