//! One deployment for each other algorithm, and for each kind of cookie.

use std::path::Path;

use crate::issuer::Issuer;
use crate::report::{Expected, Report};
use crate::server::Server;

/// A sign-up, a JWT and a cookie for each.
pub(crate) async fn run(folder: &Path, report: &mut Report) {
    for variables in [
        [("JWKS_ALG", "ES256"), ("COOKIE_CACHE", "compact")],
        [("JWKS_ALG", "ES512"), ("COOKIE_CACHE", "jwt")],
        [("JWKS_ALG", "RS256"), ("COOKIE_CACHE", "jwe")],
        [("JWKS_ALG", "PS256"), ("COOKIE_CACHE", "")],
    ] {
        let [(_, alg), (_, cache)] = variables;
        let url = format!("sqlite:{}", folder.join(format!("{alg}.sqlite")).display());
        let issuer = Issuer::start(&url, &variables).await;
        let server = Server::start(&url, &issuer).await;
        let browser = issuer.sign_up("ada").await;
        let jwt = issuer.jwt(&browser).await;
        let answer = server.hello_with_token(&jwt).await;
        report.add("SQLite", &format!("JWT, {alg}"), Expected::Passes, &answer);
        let answer = server.hello(&[("cookie", browser.cookies())]).await;
        let step = format!(
            "cookies, cache {}",
            if cache.is_empty() { "off" } else { cache }
        );
        report.add("SQLite", &step, Expected::Passes, &answer);
        // The cookie cache alone does not authenticate a request.
        let alone = browser.cookies().split("; ");
        let alone: Vec<_> = alone
            .filter(|cookie| cookie.contains("session_data"))
            .collect();
        if !alone.is_empty() {
            let answer = server.hello(&[("cookie", &alone.join("; "))]).await;
            report.add(
                "SQLite",
                "cookie cache alone",
                Expected::Unauthorized,
                &answer,
            );
        }
    }
}
