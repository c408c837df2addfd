//! Comparison with recordings of a real ChatKit server.

use std::{collections::HashMap, fs, path::PathBuf};

use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{create, event, open, post, thread_ids};
use crate::ChatKit;

#[tokio::test(start_paused = true)]
async fn operations_match_recordings() {
    let chatkit = ChatKit::new();
    let mut names = Names::default();
    // The recordings begin with one existing thread.
    for event in post(&chatkit, "alice", &create("earlier")).await.events() {
        names.hide(event);
    }
    let recorded = fixtures(|name| !name.starts_with('4') || name < "48");
    assert_eq!(recorded.len(), 15);
    for (name, fixture) in recorded {
        let user_id = fixture["user"].as_str().unwrap();
        let request = names.reveal(fixture["request"].clone());
        let answer = post(&chatkit, user_id, &request).await;
        assert_eq!(answer.status.as_u16(), fixture["status"], "{name}");
        assert_eq!(answer.content_type(), fixture["content_type"], "{name}");
        match fixture.get("events") {
            Some(events) => {
                let ours = answer.events().into_iter().map(|event| names.hide(event));
                assert_eq!(&ours.collect::<Value>(), events, "{name}");
                assert_eq!(answer.headers["cache-control"], "no-cache");
                assert_eq!(answer.headers["x-accel-buffering"], "no");
            }
            None => assert_eq!(names.hide(answer.document()), fixture["body"], "{name}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_reply_is_stored() {
    let chatkit = ChatKit::new();
    let mut names = Names::default();
    let recorded = fixtures(|name| name >= "48");
    let [(_, cancelled), (_, listed)] = recorded.as_slice() else {
        panic!("two fixtures");
    };
    let mut body = open(&chatkit, "carol", &cancelled["request"])
        .await
        .into_body();
    for expected in cancelled["events"].as_array().unwrap() {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&names.hide(event(&frame)), expected);
    }
    drop(body);
    let request = names.reveal(listed["request"].clone());
    let document = post(&chatkit, "carol", &request).await.document();
    assert_eq!(names.hide(document), listed["body"]);
}

#[tokio::test(start_paused = true)]
async fn shorthand_means_threads_create() {
    let chatkit = ChatKit::new();
    let mut answers = Vec::new();
    for request in [create("Hello"), json!({ "message": "Hello" })] {
        let mut names = Names::default();
        let events = post(&chatkit, "alice", &request).await.events();
        answers.push(
            events
                .into_iter()
                .map(|event| names.hide(event))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].len(), 12);

    let both = json!({ "type": "threads.list", "params": {}, "message": "Hello" });
    let document = post(&chatkit, "alice", &both).await.document();
    assert_eq!(document["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn tags_are_not_interactive_by_default() {
    let chatkit = ChatKit::new();
    let mut request = create("");
    let tag = json!({ "type": "input_tag", "id": "t", "text": "@bob", "data": {}, "group": null });
    request["params"]["input"]["content"] = json!([tag]);
    let events = post(&chatkit, "alice", &request).await.events();
    let mut expected = tag;
    expected["interactive"] = json!(false);
    expected.as_object_mut().unwrap().remove("group");
    assert_eq!(events[1]["item"]["content"], json!([expected]));
}

#[tokio::test(start_paused = true)]
async fn metadata_is_not_an_identity() {
    let chatkit = ChatKit::new();
    post(&chatkit, "alice", &create("Hello")).await;
    let request = json!({
        "type": "threads.list", "params": { "user_id": "alice" },
        "metadata": { "user_id": "alice" }, "user_id": "alice",
    });
    let document = post(&chatkit, "mallory", &request).await.document();
    assert_eq!(document, json!({ "data": [], "has_more": false }));
    assert_eq!(thread_ids(&chatkit, "alice").await.len(), 1);
}

/// Fixtures by name, in recorded order.
fn fixtures(wanted: impl Fn(&str) -> bool) -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut fixtures: Vec<(String, Value)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| wanted(name))
        .map(|(name, path)| {
            (
                name,
                serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
            )
        })
        .collect();
    fixtures.sort_by(|(a, _), (b, _)| a.cmp(b));
    fixtures
}

/// Maps our ids to the names in the fixtures: `thr_1`, `msg_1`, … in order of appearance.
#[derive(Default)]
struct Names {
    of_ids: HashMap<String, String>,
    ids: HashMap<String, String>,
}

impl Names {
    /// Replaces ids and times by fixed names and checks their format.
    fn hide(&mut self, value: Value) -> Value {
        walk(value, &mut |key, text| {
            if key == "created_at" {
                assert!(text.ends_with('Z'), "{text}");
                text.parse::<jiff::Timestamp>().unwrap();
                return "<time>".to_owned();
            }
            match text.get(..4) {
                Some(prefix @ ("thr_" | "msg_")) => self.name(prefix, &text),
                _ => text,
            }
        })
    }

    fn reveal(&self, value: Value) -> Value {
        walk(value, &mut |_, text| {
            self.ids.get(&text).cloned().unwrap_or(text)
        })
    }

    fn name(&mut self, prefix: &str, id: &str) -> String {
        assert!(id.len() >= prefix.len() + 16, "{id} has less than 64 bits");
        if let Some(name) = self.of_ids.get(id) {
            return name.clone();
        }
        let number = 1 + self
            .ids
            .keys()
            .filter(|name| name.starts_with(prefix))
            .count();
        let name = format!("{prefix}{number}");
        self.of_ids.insert(id.to_owned(), name.clone());
        self.ids.insert(name.clone(), id.to_owned());
        name
    }
}

fn walk(value: Value, change: &mut impl FnMut(&str, String) -> String) -> Value {
    fn under(key: &str, value: Value, change: &mut dyn FnMut(&str, String) -> String) -> Value {
        match value {
            Value::String(text) => Value::String(change(key, text)),
            Value::Array(rows) => rows
                .into_iter()
                .map(|row| under(key, row, change))
                .collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(key, value)| {
                    let value = under(&key, value, change);
                    (key, value)
                })
                .collect(),
            other => other,
        }
    }
    under("", value, change)
}
