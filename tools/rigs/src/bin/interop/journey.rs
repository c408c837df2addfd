//! The life of some users, and the responses of our server.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;
use support::token::sign_raw;

use crate::SECRET;
use crate::browser::Browser;
use crate::issuer::Issuer;
use crate::readme;
use crate::report::{Expected, Report};
use crate::server::Server;

use Expected::{Banned, CrossOrigin, NoSession, NoUser, Passes, Unauthorized};

/// Longer than the cooldown of key fetches.
const COOLDOWN: Duration = Duration::from_secs(40);

/// A deployment with its server.
struct World<'a> {
    issuer: Issuer,
    server: Server,
    place: &'a str,
    report: &'a mut Report,
}

/// Runs everything on one database. The key rotation is left, because it takes a while.
pub(crate) async fn run(database_url: &str, place: &str, report: &mut Report) -> Rotated {
    let issuer = Issuer::start(database_url, &[]).await;
    let server = Server::start(database_url, &issuer).await;
    let mut world = World {
        issuer,
        server,
        place,
        report,
    };
    let ada = world.issuer.sign_up("ada").await;
    world.tokens(&ada).await;
    world.cookies(&ada).await;
    world.mails(&ada).await;
    world.api_keys(&ada).await;
    world.organization(&ada).await;
    world.sessions().await;
    world.bans().await;
    let token = world.rotation(database_url, &ada).await;
    readme::run(database_url, place, &world.issuer, &ada, world.report).await;
    Rotated {
        token,
        place: place.to_owned(),
        server: world.server,
        _issuer: world.issuer,
    }
}

/// A server with the old keys, and a token signed with the new one.
pub(crate) struct Rotated {
    token: String,
    place: String,
    server: Server,
    _issuer: Issuer,
}

impl Rotated {
    /// Waits until the server has fetched the new key.
    pub(crate) async fn wait_until_noticed(self, report: &mut Report) {
        let begin = Instant::now();
        loop {
            let answer = self.server.hello_with_token(&self.token).await;
            if answer.status == 200 || begin.elapsed() > COOLDOWN {
                let step = "JWT with the new key, server that had the old one";
                report.add(&self.place, step, Passes, &answer);
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

impl World<'_> {
    async fn token(&mut self, step: &str, token: &str, expected: Expected) {
        let answer = self.server.hello_with_token(token).await;
        self.report.add(self.place, step, expected, &answer);
    }

    async fn headers(&mut self, step: &str, headers: &[(&str, &str)], expected: Expected) {
        let answer = self.server.hello(headers).await;
        self.report.add(self.place, step, expected, &answer);
    }

    async fn cookie(&mut self, step: &str, browser: &Browser, expected: Expected) {
        let headers = [("cookie", browser.cookies())];
        self.headers(step, &headers, expected).await;
    }

    async fn tokens(&mut self, ada: &Browser) {
        self.headers("nothing", &[], Unauthorized).await;
        let jwt = self.issuer.jwt(ada).await;
        self.token("JWT of /token", &jwt, Passes).await;
        let (input, _) = jwt.rsplit_once('.').expect("a JWT");
        let forged = format!("{input}.{}", "A".repeat(86));
        self.token("JWT, signature forged", &forged, Unauthorized)
            .await;

        let signed = ada.signed_token.clone();
        self.token("set-auth-token", &signed, Passes).await;
        let encoded = signed
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        self.token("set-auth-token, percent-encoded", &encoded, Passes)
            .await;
        self.token(
            "session token without signature",
            &ada.raw_token,
            Unauthorized,
        )
        .await;
        let other = format!(
            "{}{}",
            if signed.starts_with('a') { "b" } else { "a" },
            &signed[1..]
        );
        self.token("session token, forged", &other, Unauthorized)
            .await;

        let claims = |email: &str| {
            let exp = jiff::Timestamp::now().as_second() + 60;
            json!({ "email": email, "exp": exp }).to_string()
        };
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        let own = sign_raw(header, claims("ada@example.com"), SECRET);
        self.token("JWT of the application", &own, Passes).await;
        let nobody = sign_raw(header, claims("nobody@example.com"), SECRET);
        self.token("JWT of the application, unknown user", &nobody, NoUser)
            .await;
    }

    async fn cookies(&mut self, ada: &Browser) {
        self.cookie("cookies, no browser", ada, Passes).await;
        let trusted = self.issuer.base_url().to_owned();
        for (step, header, value, expected) in [
            (
                "cookies from the same origin",
                "sec-fetch-site",
                "same-origin",
                Passes,
            ),
            (
                "cookies from a trusted page",
                "origin",
                trusted.as_str(),
                Passes,
            ),
            (
                "cookies from a foreign page",
                "origin",
                "https://evil.example",
                CrossOrigin,
            ),
            (
                "cookies from a page without origin",
                "origin",
                "null",
                CrossOrigin,
            ),
            (
                "cookies from another site",
                "sec-fetch-site",
                "cross-site",
                CrossOrigin,
            ),
        ] {
            let headers = [("cookie", ada.cookies()), (header, value)];
            self.headers(step, &headers, expected).await;
        }
        let forged = ada.cookies().replace("%3D", "%3d%3d");
        self.headers("cookies, forged", &[("cookie", &forged)], Unauthorized)
            .await;
    }

    /// Tokens in Better Auth's mails are signed with the secret.
    async fn mails(&mut self, ada: &Browser) {
        let cookie = [("cookie", ada.cookies())];
        let body = json!({ "email": "ada@example.com" });
        self.issuer
            .ask(
                Method::POST,
                "/send-verification-email",
                &cookie,
                Some(body),
            )
            .await;
        let body = json!({ "newEmail": "attacker@evil.example" });
        self.issuer
            .ask(Method::POST, "/change-email", &cookie, Some(body))
            .await;
        let mails = self.issuer.control("mails", json!({})).await;
        let mails = mails.as_array().cloned().unwrap_or_default();
        let count = mails.len();
        self.report.push(
            self.place,
            "mails",
            "2 or more".to_owned(),
            count.to_string(),
            count >= 2,
        );
        for mail in mails {
            let token = mail["token"].as_str().expect("a token");
            self.token("token of a mail", token, Unauthorized).await;
        }
    }

    async fn rotation(&mut self, database_url: &str, ada: &Browser) -> String {
        let old = self.issuer.jwt(ada).await;
        self.issuer.control("rotate", json!({})).await;
        let new = self.issuer.jwt(ada).await;
        let kid = |token: &str| token.split('.').next().map(str::to_owned);
        let is_rotated = kid(&old) != kid(&new);
        self.report.push(
            self.place,
            "rotation",
            "another kid".to_owned(),
            (if is_rotated {
                "another kid"
            } else {
                "the same kid"
            })
            .to_owned(),
            is_rotated,
        );
        self.token("JWT of before the rotation", &old, Passes).await;
        let fresh = Server::start(database_url, &self.issuer).await;
        for (step, token) in [("old", &old), ("new", &new)] {
            let answer = fresh.hello_with_token(token).await;
            let step = format!("JWT with the {step} key, server started since");
            self.report.add(self.place, &step, Passes, &answer);
        }
        new
    }

    async fn api_keys(&mut self, ada: &Browser) {
        let cookie = [("cookie", ada.cookies())];
        let body = json!({ "name": "interop", "prefix": "app_" });
        let answer = self
            .issuer
            .ask(Method::POST, "/api-key/create", &cookie, Some(body))
            .await;
        let created = answer.json();
        let key = created["key"].as_str().expect("a key").to_owned();
        let id = created["id"].clone();
        self.headers("API key", &[("x-api-key", &key)], Passes)
            .await;
        let last = if key.ends_with('x') { "y" } else { "x" };
        let other = format!("{}{last}", &key[..key.len() - 1]);
        self.headers("API key of nobody", &[("x-api-key", &other)], Unauthorized)
            .await;
        let body = json!({ "keyId": id, "enabled": false });
        self.issuer
            .ask(Method::POST, "/api-key/update", &cookie, Some(body))
            .await;
        self.headers("API key, disabled", &[("x-api-key", &key)], Unauthorized)
            .await;
        let body = json!({ "keyId": id });
        self.issuer
            .ask(Method::POST, "/api-key/delete", &cookie, Some(body))
            .await;
        self.headers("API key, deleted", &[("x-api-key", &key)], Unauthorized)
            .await;
    }

    async fn organization(&mut self, ada: &Browser) {
        let cookie = [("cookie", ada.cookies())];
        let body = json!({ "name": "Acme", "slug": "acme" });
        let answer = self
            .issuer
            .ask(Method::POST, "/organization/create", &cookie, Some(body))
            .await;
        let body = json!({ "organizationId": answer.json()["id"] });
        self.issuer
            .ask(
                Method::POST,
                "/organization/set-active",
                &cookie,
                Some(body),
            )
            .await;
        self.cookie("cookies, with an active organization", ada, Passes)
            .await;
    }

    async fn sessions(&mut self) {
        let first = self.issuer.sign_up("bob").await;
        let second = self.issuer.sign_in("bob").await;
        let jwt = self.issuer.jwt(&first).await;
        let sign_out = [("cookie", first.cookies())];
        self.issuer
            .ask(Method::POST, "/sign-out", &sign_out, Some(json!({})))
            .await;
        self.cookie("cookies after sign-out", &first, Unauthorized)
            .await;
        let signed = first.signed_token.clone();
        self.token("session token after sign-out", &signed, Unauthorized)
            .await;
        self.token("JWT after sign-out, another session left", &jwt, Passes)
            .await;
        self.cookie("cookies of the other session", &second, Passes)
            .await;
        let revoke = [("cookie", second.cookies())];
        self.issuer
            .ask(Method::POST, "/revoke-sessions", &revoke, Some(json!({})))
            .await;
        self.cookie("cookies after all were revoked", &second, Unauthorized)
            .await;
        self.token("JWT after all were revoked", &jwt, NoSession)
            .await;
        let third = self.issuer.sign_in("bob").await;
        self.cookie("cookies after the next sign-in", &third, Passes)
            .await;
        self.token("JWT after the next sign-in", &jwt, Passes).await;
    }

    async fn bans(&mut self) {
        let eve = self.issuer.sign_up("eve").await;
        let root = self.issuer.sign_up("root").await;
        let jwt = self.issuer.jwt(&eve).await;
        let flag = |banned: bool| json!({ "userId": eve.user_id, "banned": banned });
        self.issuer.control("ban-by-hand", flag(true)).await;
        self.cookie("cookies, banned in the database", &eve, Banned)
            .await;
        self.token("JWT, banned in the database", &jwt, Banned)
            .await;
        self.issuer.control("ban-by-hand", flag(false)).await;
        self.cookie("cookies, not banned any more", &eve, Passes)
            .await;

        let admin = json!({ "userId": root.user_id });
        self.issuer.control("promote", admin).await;
        let cookie = [("cookie", root.cookies())];
        let body = json!({ "userId": eve.user_id });
        self.issuer
            .ask(Method::POST, "/admin/ban-user", &cookie, Some(body.clone()))
            .await;
        self.cookie("cookies, banned by an admin", &eve, Unauthorized)
            .await;
        self.token("JWT, banned by an admin, sessions gone", &jwt, NoSession)
            .await;
        self.issuer
            .ask(Method::POST, "/admin/unban-user", &cookie, Some(body))
            .await;
        self.token("JWT, unbanned, sessions gone", &jwt, NoSession)
            .await;
        let body = json!({ "userId": eve.user_id });
        self.issuer
            .ask(Method::POST, "/admin/remove-user", &cookie, Some(body))
            .await;
        self.token("JWT of a user who was removed", &jwt, NoUser)
            .await;
    }
}
