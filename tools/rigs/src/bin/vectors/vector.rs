//! The vectors of all files.

use std::fmt;
use std::path::Path;

use serde_json::Value;

/// The names of the files.
pub(crate) const FILES: [&str; 4] = [
    "wycheproof_json_web_signature_test.json",
    "wycheproof_json_web_key_test.json",
    "wycheproof_json_web_crypto_test.json",
    "jws_library_level.jsonl",
];

/// A key or several, and a token.
pub(crate) struct Vector {
    pub(crate) file: String,
    pub(crate) group: String,
    pub(crate) id: String,
    pub(crate) comment: String,
    /// A JWK or JWK set, the public one if there are two.
    pub(crate) key: Value,
    /// `None` for a JWE.
    pub(crate) jws: Option<String>,
    pub(crate) is_valid: bool,
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = if self.is_valid { "valid" } else { "invalid" };
        write!(
            f,
            "{} {} #{} {}: {expected}",
            self.file, self.group, self.id, self.comment
        )
    }
}

/// Reads all files.
pub(crate) fn read(folder: &Path) -> Result<Vec<Vector>, String> {
    let mut vectors = Vec::new();
    for file in FILES {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let before = vectors.len();
        if file.ends_with(".jsonl") {
            vectors.extend(text.lines().filter_map(of_line));
        } else {
            of_wycheproof(file, &text, &mut vectors);
        }
        if vectors.len() == before {
            return Err(format!("{}: no vector in it", path.display()));
        }
    }
    Ok(vectors)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The flattened file repeats Wycheproof's vectors and adds two of the RFCs.
fn of_line(line: &str) -> Option<Vector> {
    let row: Value = serde_json::from_str(line).expect("each line is a JSON document");
    let source = text(&row["source"]);
    if source.starts_with("wycheproof/") {
        return None;
    }
    Some(Vector {
        file: "rfc".to_owned(),
        group: source,
        id: row["id"].to_string(),
        comment: text(&row["comment"]),
        key: key(&row["jwk_public"], &row["jwk_private"]),
        jws: Some(text(&row["jws"])),
        is_valid: row["result"] == "valid",
    })
}

fn of_wycheproof(file: &str, text_of_file: &str, vectors: &mut Vec<Vector>) {
    let document: Value = serde_json::from_str(text_of_file).expect("a JSON document");
    let name = file
        .trim_start_matches("wycheproof_")
        .trim_end_matches("_test.json");
    for group in document["testGroups"].as_array().expect("groups") {
        for test in group["tests"].as_array().expect("tests") {
            vectors.push(Vector {
                file: name.to_owned(),
                group: text(&group["comment"]),
                id: test["tcId"].to_string(),
                comment: text(&test["comment"]),
                key: key(&group["public"], &group["private"]),
                jws: test["jws"].as_str().map(str::to_owned),
                is_valid: test["result"] == "valid",
            });
        }
    }
}

fn key(public: &Value, private: &Value) -> Value {
    if public.is_object() {
        public.clone()
    } else {
        private.clone()
    }
}
