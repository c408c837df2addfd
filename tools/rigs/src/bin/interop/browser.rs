//! The state of a client after sign-in.

use crate::http::Answer;

/// Cookies, tokens and the user.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    cookies: String,
    /// `set-auth-token` of the bearer plugin.
    pub(crate) signed_token: String,
    /// The token in the body.
    pub(crate) raw_token: String,
    pub(crate) user_id: String,
}

impl Browser {
    /// From the response to a sign-in.
    pub(crate) fn signed_in(answer: &Answer) -> Self {
        let cookies = answer.headers.get_all("set-cookie").iter();
        let cookies = cookies.map(|cookie| {
            let cookie = cookie.to_str().expect("text");
            cookie.split(';').next().unwrap_or_default().to_owned()
        });
        let body = answer.json();
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        Self {
            cookies: cookies.collect::<Vec<_>>().join("; "),
            signed_token: answer.headers["set-auth-token"]
                .to_str()
                .expect("text")
                .to_owned(),
            raw_token: text(&body["token"]),
            user_id: text(&body["user"]["id"]),
        }
    }

    /// The `Cookie` header.
    pub(crate) fn cookies(&self) -> &str {
        &self.cookies
    }
}
