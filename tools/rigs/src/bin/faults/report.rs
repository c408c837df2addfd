//! `docs/faults.md`: its words are written by people, the rows between its markers are a run's.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::catalogue::{Ordeal, Table, ordeals};
use crate::finding::Check;

impl Table {
    fn marker(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Keys => "keys",
            Self::Exhaustion => "exhaustion",
        }
    }
}

/// Puts the row of what was run in place of the old one, and leaves the others as they are.
pub(crate) fn write(table: Table, ordeal: &Ordeal, finding: &Check) -> Result<(), String> {
    let file = document();
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    let text = fs::read_to_string(&file).map_err(failed)?;
    let text = with_row(&text, table, ordeal, &row(ordeal, finding))?;
    fs::write(&file, text).map_err(failed)
}

fn document() -> PathBuf {
    // Set by `cargo xtask`, so that a moved checkout is found without a rebuild.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.join("../../docs/faults.md")
}

fn row(ordeal: &Ordeal, finding: &Check) -> String {
    let Ordeal { name, what, .. } = ordeal;
    format!("| `{name}` | {what} | {} |", finding.cells.join(" | "))
}

/// The text with a row in its place between a table's markers, behind the two lines of the heading.
fn with_row(text: &str, table: Table, new: &Ordeal, row: &str) -> Result<String, String> {
    let marker = table.marker();
    let (begin, end) = (
        format!("<!-- begin {marker} -->\n"),
        format!("<!-- end {marker} -->"),
    );
    let missing = || format!("docs/faults.md has no place for {marker}");
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (old, after) = rest.split_once(&end).ok_or_else(missing)?;
    let heading = old.lines().filter(|line| line.starts_with("| "));
    let heading: Vec<&str> = heading.take(2).collect();
    let row_of = |ordeal: &Ordeal| {
        let start = format!("| `{}` |", ordeal.name);
        let kept = old.lines().find(|line| line.starts_with(&start));
        if ordeal.name == new.name {
            Some(row)
        } else {
            kept
        }
    };
    let rows = ordeals().filter(|(of, _)| *of == table);
    let rows: Vec<&str> = rows.filter_map(|(_, ordeal)| row_of(ordeal)).collect();
    Ok(format!(
        "{before}{begin}\n{}\n\n{}\n{}\n\n{end}{after}",
        setting(),
        heading.join("\n"),
        rows.join("\n"),
    ))
}

/// When and on what the newest of the rows were made.
fn setting() -> String {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let postgres = env::var("PG_BIN").unwrap_or_default();
    let version = Command::new(format!("{postgres}/postgres"))
        .arg("--version")
        .output();
    let version = version
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.unwrap_or_default();
    let number = version
        .split_whitespace()
        .nth(2)
        .unwrap_or("of unknown version");
    let profile = if cfg!(debug_assertions) {
        ", not optimised"
    } else {
        ""
    };
    format!("Run of {today}: {cores} cores, PostgreSQL {number}{profile}.")
}
