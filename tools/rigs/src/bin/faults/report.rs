//! Updates the rows between the markers in `docs/faults.md`. The text is written by hand.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::catalogue::{Fault, Table, faults};
use crate::check::Check;

impl Table {
    fn marker(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Keys => "keys",
            Self::Exhaustion => "exhaustion",
        }
    }
}

/// Replaces the row of a fault and keeps the others.
pub(crate) fn write(table: Table, fault: &Fault, check: &Check) -> Result<(), String> {
    let file = document();
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    let text = fs::read_to_string(&file).map_err(failed)?;
    let text = with_row(&text, table, fault, &row(fault, check))?;
    fs::write(&file, text).map_err(failed)
}

fn document() -> PathBuf {
    // Set by `cargo xtask`, so that a moved checkout is found without a rebuild.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.join("../../docs/faults.md")
}

fn row(fault: &Fault, check: &Check) -> String {
    let Fault { name, what, .. } = fault;
    format!("| `{name}` | {what} | {} |", check.cells.join(" | "))
}

/// The text with a row between the markers of a table, after the two heading lines.
fn with_row(text: &str, table: Table, new: &Fault, row: &str) -> Result<String, String> {
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
    let row_of = |fault: &Fault| {
        let start = format!("| `{}` |", fault.name);
        let kept = old.lines().find(|line| line.starts_with(&start));
        if fault.name == new.name {
            Some(row)
        } else {
            kept
        }
    };
    let rows = faults().filter(|(of, _)| *of == table);
    let rows: Vec<&str> = rows.filter_map(|(_, fault)| row_of(fault)).collect();
    Ok(format!(
        "{before}{begin}\n{}\n\n{}\n{}\n\n{end}{after}",
        setting(),
        heading.join("\n"),
        rows.join("\n"),
    ))
}

/// The time and the machine of the newest rows.
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
