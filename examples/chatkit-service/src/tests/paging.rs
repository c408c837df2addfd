//! Pagination.

use serde_json::{Value, json};

use super::{add, items, post, thread, thread_ids};
use crate::ChatKit;

#[tokio::test(start_paused = true)]
async fn pages_cover_all_rows_in_order() {
    let chatkit = ChatKit::new();
    let (thread_id, _, _) = thread(&chatkit, "alice").await;
    for _ in 0..2 {
        post(&chatkit, "alice", &add(&thread_id, "more")).await;
    }
    let oldest_first: Vec<Value> = items(&chatkit, "alice", &thread_id).await;
    let mut newest_first = oldest_first.clone();
    newest_first.reverse();

    for (order, expected) in [
        (Some("asc"), oldest_first),
        (Some("desc"), newest_first.clone()),
        (None, newest_first),
    ] {
        let mut seen = Vec::new();
        let mut after = Value::Null;
        for has_more in [true, false] {
            let mut params = json!({ "thread_id": thread_id, "limit": 4, "after": after });
            if let Some(order) = order {
                params["order"] = json!(order);
            }
            let request = json!({ "type": "items.list", "params": params });
            let page = post(&chatkit, "alice", &request).await.document();
            assert_eq!(page["has_more"], has_more, "{page}");
            let rows = page["data"].as_array().unwrap();
            let last = rows.last().unwrap()["id"].clone();
            assert_eq!(page.get("after"), has_more.then_some(&last), "{page}");
            seen.extend(rows.clone());
            after = last;
        }
        assert_eq!(seen, expected, "{order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn page_size_defaults_to_20() {
    let chatkit = ChatKit::new();
    let (thread_id, first, _) = thread(&chatkit, "alice").await;
    for _ in 0..10 {
        post(&chatkit, "alice", &add(&thread_id, "more")).await;
    }
    let cases = [
        (json!({ "thread_id": thread_id }), 20, true),
        (json!({ "thread_id": thread_id, "limit": null }), 20, true),
        (json!({ "thread_id": thread_id, "limit": 0 }), 20, true),
        (json!({ "thread_id": thread_id, "limit": 21 }), 21, true),
        (json!({ "thread_id": thread_id, "limit": 22 }), 22, false),
        (
            json!({ "thread_id": thread_id, "limit": u32::MAX }),
            22,
            false,
        ),
        (json!({ "thread_id": thread_id, "after": first }), 0, false),
    ];
    for (params, rows, has_more) in cases {
        let request = json!({ "type": "items.list", "params": params });
        let page = post(&chatkit, "alice", &request).await.document();
        assert_eq!(page["data"].as_array().unwrap().len(), rows, "{params}");
        assert_eq!(page["has_more"], has_more, "{params}");
    }
    let request = json!({ "type": "threads.get_by_id", "params": { "thread_id": thread_id } });
    let page = post(&chatkit, "alice", &request).await.document()["items"].clone();
    assert_eq!(page["data"].as_array().unwrap().len(), 20);
    assert_eq!(page["data"][0]["id"], first);
    assert_eq!(page["after"], page["data"][19]["id"]);
}

#[tokio::test(start_paused = true)]
async fn threads_are_paged() {
    let chatkit = ChatKit::new();
    let mut created = Vec::new();
    for _ in 0..3 {
        created.push(thread(&chatkit, "alice").await.0);
    }
    created.reverse();
    assert_eq!(thread_ids(&chatkit, "alice").await, created);
    let request = json!({ "type": "threads.list", "params": { "limit": 1, "after": created[0] } });
    let page = post(&chatkit, "alice", &request).await.document();
    assert_eq!(page["data"][0]["id"], created[1]);
    assert_eq!(page["after"], created[1]);
    assert_eq!(
        page["data"][0]["items"],
        json!({ "data": [], "has_more": false })
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_after_is_rejected() {
    let chatkit = ChatKit::new();
    let (thread_id, _, _) = thread(&chatkit, "alice").await;
    let (other, foreign, _) = thread(&chatkit, "bob").await;
    let in_items =
        json!({ "type": "items.list", "params": { "thread_id": thread_id, "after": foreign } });
    let in_threads = json!({ "type": "threads.list", "params": { "after": other } });
    for request in [in_items, in_threads] {
        let answer = post(&chatkit, "alice", &request).await;
        assert_eq!(answer.status, 400);
        assert!(answer.error().contains("`after`"));
    }
}
