//! Limits on memory.

use http_body_util::BodyExt as _;
use serde_json::json;

use super::{add, create, items, open, post, post_bytes, retry, thread, thread_ids};
use crate::{
    chatkit::{ChatKit, MAX_BODY_BYTES},
    responder::{MAX_ECHO_BYTES, respond},
    thread_store::{
        MAX_BYTES_PER_THREAD, MAX_ITEMS_PER_THREAD, MAX_THREADS_PER_USER, MAX_TITLE_BYTES,
        MAX_USERS,
    },
};

#[tokio::test(start_paused = true)]
async fn body_size_is_limited() {
    let chatkit = ChatKit::new();
    let mut body = create("Hello").to_string();
    body += &" ".repeat(MAX_BODY_BYTES - body.len());
    assert_eq!(
        post_bytes(&chatkit, "alice", body.clone()).await.status,
        200
    );
    body.push(' ');
    let answer = post_bytes(&chatkit, "alice", body).await;
    assert_eq!(answer.status, 413);
    assert!(answer.error().contains("1048576 bytes"));
}

#[tokio::test(start_paused = true)]
async fn new_thread_evicts_the_oldest() {
    let chatkit = ChatKit::new();
    let mut created = Vec::new();
    for _ in 0..=MAX_THREADS_PER_USER {
        created.insert(0, thread(&chatkit, "alice").await.0);
    }
    created.pop();
    assert_eq!(thread_ids(&chatkit, "alice").await, created);
}

#[tokio::test(start_paused = true)]
async fn new_user_evicts_least_recent_user() {
    let chatkit = ChatKit::new();
    for user in 0..MAX_USERS {
        thread(&chatkit, &user.to_string()).await;
    }
    assert_eq!(
        thread_ids(&chatkit, "0").await.len(),
        1,
        "user 0 is active again"
    );
    assert_eq!(
        thread_ids(&chatkit, "a reader").await.len(),
        0,
        "a reader is not stored"
    );
    thread(&chatkit, "2").await;
    thread(&chatkit, "one more").await;
    thread(&chatkit, "two more").await;
    for (user, threads) in [
        ("0", 1),
        ("1", 0),
        ("2", 2),
        ("3", 0),
        ("4", 1),
        ("two more", 1),
    ] {
        assert_eq!(thread_ids(&chatkit, user).await.len(), threads, "{user}");
    }
}

#[tokio::test(start_paused = true)]
async fn item_count_is_limited() {
    let chatkit = ChatKit::new();
    let (thread_id, _, _) = thread(&chatkit, "alice").await;
    for _ in 1..MAX_ITEMS_PER_THREAD / 2 {
        assert_eq!(
            post(&chatkit, "alice", &add(&thread_id, "x")).await.status,
            200
        );
    }
    let answer = post(&chatkit, "alice", &add(&thread_id, "x")).await;
    assert_eq!(answer.status, 409);
    assert!(answer.error().contains("threads.create"));
    let held = items(&chatkit, "alice", &thread_id).await;
    assert_eq!(held.len(), MAX_ITEMS_PER_THREAD);

    // Of two concurrent replies to the last message, only one fits.
    let question = held[MAX_ITEMS_PER_THREAD - 2]["id"].as_str().unwrap();
    let retry = retry(&thread_id, question);
    let first = open(&chatkit, "alice", &retry).await.into_body();
    let second = open(&chatkit, "alice", &retry).await.into_body();
    first.collect().await.unwrap();
    second.collect().await.unwrap();
    assert_eq!(
        items(&chatkit, "alice", &thread_id).await.len(),
        MAX_ITEMS_PER_THREAD
    );
}

#[tokio::test(start_paused = true)]
async fn capacity_for_the_reply_is_reserved() {
    let chatkit = ChatKit::new();
    // Without a reply, so that the number of items is odd.
    drop(open(&chatkit, "alice", &create("Hello")).await);
    let thread_id = thread_ids(&chatkit, "alice").await.remove(0);
    for _ in 0..(MAX_ITEMS_PER_THREAD - 1) / 2 {
        let answer = post(&chatkit, "alice", &add(&thread_id, "x")).await;
        assert_eq!(answer.status, 200);
    }
    let answer = post(&chatkit, "alice", &add(&thread_id, "x")).await;
    assert_eq!(answer.status, 409);
    let held = items(&chatkit, "alice", &thread_id).await;
    assert_eq!(held.len(), MAX_ITEMS_PER_THREAD - 1);
}

#[tokio::test(start_paused = true)]
async fn thread_size_is_limited() {
    let chatkit = ChatKit::new();
    let half = "x".repeat(MAX_BYTES_PER_THREAD / 2);
    let (thread_id, _, _) = thread(&chatkit, "alice").await;
    assert_eq!(
        post(&chatkit, "alice", &add(&thread_id, &half))
            .await
            .status,
        200
    );
    let answer = post(&chatkit, "alice", &add(&thread_id, &half)).await;
    assert_eq!(answer.status, 413);
    assert!(answer.error().contains("threads.create"));
    assert_eq!(items(&chatkit, "alice", &thread_id).await.len(), 4);

    let whole = "x".repeat(MAX_BYTES_PER_THREAD);
    assert_eq!(post(&chatkit, "alice", &create(&whole)).await.status, 413);
    assert_eq!(thread_ids(&chatkit, "alice").await, [thread_id]);
}

#[tokio::test(start_paused = true)]
async fn title_length_is_limited() {
    let chatkit = ChatKit::new();
    let (thread_id, _, _) = thread(&chatkit, "alice").await;
    for (bytes, status) in [(MAX_TITLE_BYTES, 200), (MAX_TITLE_BYTES + 1, 400)] {
        let params = json!({ "thread_id": thread_id, "title": "x".repeat(bytes) });
        let request = json!({ "type": "threads.update", "params": params });
        assert_eq!(
            post(&chatkit, "alice", &request).await.status.as_u16(),
            status
        );
    }
}

#[test]
fn reply_length_is_limited() {
    for (question, echo) in [
        ("a b".to_owned(), 2),
        ("é".repeat(MAX_ECHO_BYTES), 1),
        ("ab ".repeat(1000), MAX_ECHO_BYTES / 3 + 1),
        (" ".repeat(MAX_ECHO_BYTES - 1), MAX_ECHO_BYTES),
        (" ".repeat(1000), MAX_ECHO_BYTES + 1),
    ] {
        let words = respond("alice", &question);
        assert_eq!(words.len(), 4 + echo, "{question}");
        let cut = words.last().unwrap() == "… ";
        assert_eq!(cut, question.len() >= MAX_ECHO_BYTES, "{question}");
    }
}
