//! Error responses.

use serde_json::{Value, json};

use super::{add, create, input, items, post, post_bytes, retry, thread};
use crate::{
    ChatKit,
    operation::{SUPPORTED, UNSUPPORTED},
};

#[tokio::test(start_paused = true)]
async fn foreign_thread_is_not_found() {
    let chatkit = ChatKit::new();
    let (thread_id, question, reply) = thread(&chatkit, "alice").await;
    thread(&chatkit, "mallory").await;
    let before = items(&chatkit, "alice", &thread_id).await;

    for thread_id in [thread_id.as_str(), "thr_0000000000000000"] {
        let get = json!({ "type": "threads.get_by_id", "params": { "thread_id": thread_id } });
        let list = json!({ "type": "items.list", "params": { "thread_id": thread_id } });
        let update = json!({ "type": "threads.update", "params": { "thread_id": thread_id, "title": "mine" } });
        let delete = json!({ "type": "threads.delete", "params": { "thread_id": thread_id } });
        let feedback = json!({
            "type": "items.feedback",
            "params": { "thread_id": thread_id, "item_ids": [reply], "kind": "negative" },
        });
        let add = add(thread_id, "steal");
        let retry = retry(thread_id, &question);
        for request in [get, list, update, delete, feedback, add, retry] {
            for user_id in ["mallory", "unknown"] {
                let answer = post(&chatkit, user_id, &request).await;
                assert_eq!(answer.status, 404, "{user_id}: {request}");
                assert!(
                    answer.error().starts_with("You have no thread"),
                    "{request}"
                );
            }
        }
    }
    assert_eq!(items(&chatkit, "alice", &thread_id).await, before);
    let get = json!({ "type": "threads.get_by_id", "params": { "thread_id": thread_id } });
    let document = post(&chatkit, "alice", &get).await.document();
    assert_eq!(document.get("title"), None);
}

#[tokio::test(start_paused = true)]
async fn retry_requires_a_user_message() {
    let chatkit = ChatKit::new();
    let (thread_id, _, reply) = thread(&chatkit, "alice").await;
    let (_, elsewhere, _) = thread(&chatkit, "alice").await;
    for (item_id, status) in [(elsewhere, 404), (reply, 400)] {
        let answer = post(&chatkit, "alice", &retry(&thread_id, &item_id)).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.error().contains("`item_id`"));
    }
    assert_eq!(items(&chatkit, "alice", &thread_id).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn malformed_body_is_explained() {
    let without = |key: &str| {
        let mut request = create("x");
        request["params"]["input"]
            .as_object_mut()
            .unwrap()
            .remove(key);
        request.to_string()
    };
    let cases = [
        (String::new(), "The body is empty"),
        ("hello".to_owned(), "not JSON"),
        (r#"{"type":"threads.list""#.to_owned(), "not JSON"),
        ("[]".to_owned(), "not a JSON object"),
        (r#"["threads.list",{}]"#.to_owned(), "not a JSON object"),
        ("{}".to_owned(), "`type` is missing"),
        (
            r#"{"type":1,"message":"Hello"}"#.to_owned(),
            "`type` is not a string",
        ),
        (
            r#"{"message":["Hello"]}"#.to_owned(),
            "`message` is not a string",
        ),
        (
            r#"{"type":"threads.nope","params":{}}"#.to_owned(),
            "items.feedback",
        ),
        (
            r#"{"type":"threads.create"}"#.to_owned(),
            "`params` of threads.create: missing field `params`",
        ),
        (
            r#"{"type":"threads.create","params":{}}"#.to_owned(),
            "`input`",
        ),
        (
            r#"{"type":"threads.update","params":{"thread_id":"t"}}"#.to_owned(),
            "`title`",
        ),
        (
            r#"{"type":"threads.list","params":{"order":"up"}}"#.to_owned(),
            "`asc` or `desc`",
        ),
        (
            r#"{"type":"threads.list","params":{"limit":-1}}"#.to_owned(),
            "`-1`",
        ),
        (without("content"), "missing field `content`"),
        (without("attachments"), "missing field `attachments`"),
        (
            without("inference_options"),
            "missing field `inference_options`",
        ),
        (
            create("x").to_string().replace("input_text", "input_song"),
            "`input_tag`",
        ),
    ];
    let chatkit = ChatKit::new();
    for (body, part) in cases {
        let answer = post_bytes(&chatkit, "alice", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        let error = answer.error();
        assert!(error.contains(part), "{body}: {error}");
        assert!(error.contains(r#"{"message":"Hello"}"#), "{body}: {error}");
    }
    assert_eq!(super::thread_ids(&chatkit, "alice").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn example_in_error_is_valid() {
    let chatkit = ChatKit::new();
    let error = post(&chatkit, "alice", &json!({})).await.error();
    let (_, rest) = error.split_once("for example ").unwrap();
    let (example, shorthand) = rest.split_once(" or, in short, ").unwrap();
    for body in [example, shorthand] {
        let answer = post_bytes(&chatkit, "alice", body.to_owned()).await;
        assert_eq!(answer.events().len(), 12);
    }
}

#[tokio::test(start_paused = true)]
async fn supported_operations_exist() {
    let chatkit = ChatKit::new();
    for name in SUPPORTED {
        let params = json!({ "thread_id": "t", "item_id": "i", "item_ids": [], "title": "t", "kind": "negative", "input": input("x") });
        let answer = post(
            &chatkit,
            "alice",
            &json!({ "type": name, "params": params }),
        )
        .await;
        assert_ne!(answer.status, 400, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn unsupported_operations_get_501() {
    let chatkit = ChatKit::new();
    let mut with_file = create("see");
    with_file["params"]["input"]["attachments"] = json!(["atc_1"]);
    let mut requests: Vec<Value> = UNSUPPORTED
        .iter()
        .map(|name| json!({ "type": name, "params": {} }))
        .collect();
    requests.push(with_file);
    for request in requests {
        let answer = post(&chatkit, "alice", &request).await;
        assert_eq!(answer.status, 501, "{request}");
        assert!(answer.error().contains("CHATKIT_UPSTREAM"), "{request}");
    }
}
