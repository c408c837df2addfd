//! API keys and the configurations of the plugin.

use super::fixtures::{Counting, headers};
use support::prelude::*;

/// A key without a configuration belongs to the default one, as in Better Auth.
#[tokio::test]
async fn missing_config_id_is_default() {
    let store = Counting::new();
    for (text, configuration) in [
        ("silent", None),
        ("empty", Some("")),
        ("default", Some("default")),
        ("internal", Some("internal")),
    ] {
        let key = ApiKey::new(text, "usr_ada", ApiKeyHash::from_key(text));
        store.store().insert_api_key(match configuration {
            None => key,
            Some(id) => key.with_config_id(id),
        });
    }
    let usual = App::of(builder(store.clone()).api_keys(ApiKeys::new()));
    let internal = ApiKeys::new().configuration("internal");
    let internal = App::of(builder(store).api_keys(internal));
    for text in ["silent", "empty", "default", "internal"] {
        let is_internal = text == "internal";
        for (app, passes) in [(&usual, !is_internal), (&internal, is_internal)] {
            let all = headers(&[("x-api-key", text.as_bytes())]);
            let answer = app.send(all).await;
            if passes {
                answer.assert_identity(text, "usr_ada", text);
            } else {
                answer.assert_rejected(text, InvalidCredential);
            }
        }
    }
}
