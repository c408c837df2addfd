//! Statements of the documentation: public items have examples, and the named tests exist.

use std::fs;
use std::path::{Path, PathBuf};

/// Items without an example, and the reason.
const WITHOUT: [(&str, &str); 14] = [
    ("ResponseFuture", "named for bounds; callers of the service await it"),
    ("Authenticate", "made by `Authenticator::authenticate`, and awaited"),
    ("Authorize", "made by `AuthorizeLayer`, which has one"),
    ("Membership", "made by `MembershipLayer`, which has one"),
    ("MembershipFuture", "as `ResponseFuture`"),
    ("PostgresListenerBuilder", "made by `PostgresListener::builder`, which has one"),
    ("And", "made by `Policy::and`"),
    ("Or", "made by `Policy::or`"),
    ("identity", "of tonic's: in the example of its module"),
    ("optional_identity", "of tonic's: as `identity`"),
    ("authorize", "of tonic's: in the example of its module"),
    ("describe", "in the example of its module"),
    ("StoreFault", "for `TestDeployment::break_store`; in the guide's example"),
    ("KeysFault", "for `TestDeployment::break_keys`, as `StoreFault`"),
];

/// A cell has the form `file`: `test`, `test`; …
#[test]
fn security_policy_names_real_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let policy = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut found = 0;
    for cell in policy.lines().filter_map(|line| line.split('|').nth(3)) {
        for named in cell.split(';').filter(|named| named.contains(".rs`")) {
            let mut quoted = named.split('`').skip(1).step_by(2);
            let file = quoted.next().unwrap();
            let text = fs::read_to_string(root.join(file)).expect(file);
            for test in quoted {
                let is_there = ["(", "<"].map(|end| text.contains(&format!("fn {test}{end}")));
                assert!(is_there.contains(&true), "{file}: {test}");
                found += 1;
            }
        }
    }
    assert!(found >= 14, "only {found} tests are named");
}

/// The page about Neon names a test for each of its statements.
#[test]
fn neon_page_names_real_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let library = root.join("crates/better-auth-layer/src");
    let page = fs::read_to_string(library.join("guide/neon.md")).unwrap();
    let mut files = Vec::new();
    for folder in [&root.join("tests"), &library] {
        rust_files(folder, &mut files);
    }
    let code: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut found = 0;
    for cell in page.lines().filter_map(|line| line.split('|').nth(2)) {
        for test in cell.split('`').skip(1).step_by(2) {
            let name = format!("fn {test}(");
            assert!(code.iter().any(|text| text.contains(&name)), "{test}");
            found += 1;
        }
    }
    assert!(found >= 7, "only {found} tests are named");
}

/// These examples would treat a missing layer as an anonymous user.
#[test]
fn examples_use_checked_extractors() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/better-auth-layer/src");
    let mut files = Vec::new();
    files_in(&library, &mut files);
    files.push(library.join("../../../README.md"));
    assert!(files.len() > 100, "only {} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines() {
            let is_document = file.extension().is_some_and(|extension| extension == "md")
                || line.trim_start().starts_with("//");
            let warns = line.contains("do not use");
            for taught in ["get::<Identity>()", "Option<Extension<Identity>>"] {
                assert!(
                    !is_document || warns || !line.contains(taught),
                    "{}: {line}",
                    file.display()
                );
            }
        }
    }
}

fn files_in(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_in(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn public_items_have_examples() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/better-auth-layer/src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let items: Vec<Item> = files.iter().flat_map(|file| items(file)).collect();
    assert!(items.len() > 80, "only {} items were found", items.len());

    let is_excused = |item: &Item| WITHOUT.iter().any(|(name, _)| *name == item.name);
    let missing: Vec<_> = items
        .iter()
        .filter(|item| !item.has_example && !is_excused(item))
        .map(|item| format!("{}: `{}`", item.place, item.name))
        .collect();
    assert!(
        missing.is_empty(),
        "without an example that compiles; write one, or a reason in WITHOUT:\n{}",
        missing.join("\n")
    );
    for (name, _) in WITHOUT {
        let is_needed = items.iter().any(|item| item.name == name && !item.has_example);
        assert!(is_needed, "`{name}` needs no excuse any more");
    }
}

struct Item {
    name: String,
    place: String,
    has_example: bool,
}

/// The public types, traits and free functions of a file.
fn items(file: &Path) -> Vec<Item> {
    let text = fs::read_to_string(file).unwrap();
    let mut items = Vec::new();
    let (mut has_example, mut is_in_attribute) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if is_in_attribute || code.starts_with("#[") {
            is_in_attribute = !code.ends_with(']');
        } else if code.starts_with("///") {
            has_example |= code.contains("```");
        } else if let Some(name) = name_of(line) {
            items.push(Item {
                name,
                place: format!("{}:{}", file.display(), number + 1),
                has_example: std::mem::take(&mut has_example),
            });
        } else {
            has_example = false;
        }
    }
    items
}

fn name_of(line: &str) -> Option<String> {
    let code = line.trim_start();
    let rest = ["pub struct ", "pub enum ", "pub trait "]
        .iter()
        .find_map(|keyword| code.strip_prefix(keyword))
        // Methods are indented and need no separate example.
        .or_else(|| line.strip_prefix("pub fn "))
        .or_else(|| line.strip_prefix("pub async fn "))?;
    let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
    Some(rest.chars().take_while(is_part).collect())
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
