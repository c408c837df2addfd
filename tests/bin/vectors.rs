//! Holds the layer's verdicts against JWS vectors of other people: `vectors DIR`, where DIR has
//! `jws_library_level.jsonl`.
//!
//! A vector's payload is no claims set, so no vector lets anybody in. What is compared is how far a token gets: one
//! with a good signature is refused for its claims, and a bad one before anybody looks at them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use better_auth_layer::{BetterAuthLayer, MemoryStore, Secret};
use http::HeaderValue;
use serde_json::Value;
use support::captured_log::CapturedLog;

/// Where our verdict differs, and why.
fn explained(group: &str, comment: &str) -> Option<&'static str> {
    match (group, comment) {
        ("base64", "InvalidCharacterInsertedInHeader" | "InvalidCharacterInsertedInPayload") => {
            Some(
                "the vector wants a character outside the alphabet to be skipped; RFC 7515 §2 allows no such character",
            )
        }
        ("base64", "invalidBase64Padding" | "invalidBase64PaddingInPayload") => Some(
            "the vector's text has no padding in it: it is the text of the valid vector #357, letter for letter",
        ),
        _ => None,
    }
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: vectors DIR, the folder with jws_library_level.jsonl");
        return ExitCode::from(2);
    };
    let path = Path::new(&folder).join("jws_library_level.jsonl");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!(
                "{}: {error}; give the folder that has this file",
                path.display()
            );
            return ExitCode::from(2);
        }
    };
    let mut tally: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut differing = Vec::new();
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).expect("each line is a JSON document");
        // Asymmetric keys need a key source, which this verifier does not have yet.
        let Some(key) = symmetric_key(&vector) else {
            tally
                .entry("not HMAC, not judged here".to_owned())
                .or_default()[3] += 1;
            continue;
        };
        let text = |member: &str| vector[member].as_str().unwrap_or_default().to_owned();
        let name = format!(
            "{} #{} {} {}",
            text("source"),
            vector["id"],
            text("group"),
            text("comment")
        );
        // What is expected of anything that is not HS256, good or not, is that it does not pass as such.
        let expected = text("result") == "valid" && text("alg") == "HS256";
        let accepted = signature_is_accepted(&key, vector["jws"].as_str());
        let group = if text("group").is_empty() {
            text("source")
        } else {
            text("group")
        };
        let count = tally.entry(group).or_default();
        if accepted == expected {
            count[usize::from(accepted)] += 1;
        } else if let Some(reason) = explained(&text("group"), &text("comment")) {
            count[2] += 1;
            println!("explained: {name}: expected {expected}, verdict {accepted}: {reason}");
        } else {
            differing.push(format!("{name}: expected {expected}, verdict {accepted}"));
        }
    }
    println!(
        "{:<28} {:>7} {:>8} {:>9} {:>10}",
        "group", "refused", "accepted", "explained", "not judged"
    );
    for (group, [refused, accepted, other, skipped]) in &tally {
        println!("{group:<28} {refused:>7} {accepted:>8} {other:>9} {skipped:>10}");
    }
    for difference in &differing {
        eprintln!("differs: {difference}");
    }
    let judged: usize = tally
        .values()
        .map(|counts| counts[..3].iter().sum::<usize>())
        .sum();
    println!(
        "vectors: {judged} as expected, {} otherwise",
        differing.len()
    );
    if differing.is_empty() && judged > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn symmetric_key(vector: &Value) -> Option<Vec<u8>> {
    let key = vector["jwk_private"]["k"]
        .as_str()
        .or(vector["jwk_public"]["k"].as_str())?;
    URL_SAFE_NO_PAD
        .decode(key)
        .ok()
        .filter(|key| !key.is_empty())
}

/// Whether the layer gets as far as the claims.
fn signature_is_accepted(key: &[u8], jws: Option<&str>) -> bool {
    let Some(value) = jws.and_then(|jws| HeaderValue::from_str(&format!("Bearer {jws}")).ok())
    else {
        return false;
    };
    let secret = Secret::dangerous_unchecked(key).expect("the key is not empty");
    let layer = BetterAuthLayer::builder()
        .secret(secret)
        .store(MemoryStore::new())
        .build()
        .expect("a good builder");
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.headers.insert("authorization", value);
    let (log, _guard) = CapturedLog::start();
    drop(layer.authenticator().authenticate(&parts));
    let text = log.text();
    [
        "claims_malformed",
        "claim_missing",
        "claim_malformed",
        "reason=expired",
    ]
    .iter()
    .any(|reason| text.contains(reason))
}
