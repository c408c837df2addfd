//! Updates `docs/performance.md`. Only the text between its markers is generated.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::error::Error;
use crate::findings::Findings;
use crate::options::Part;
use crate::prerequisites::repository;

fn document() -> PathBuf {
    repository().join("docs").join("performance.md")
}

/// The directory of charts and data.
fn folder() -> PathBuf {
    repository().join("docs").join("performance")
}

/// Checks before a run that the report has all markers.
pub(crate) fn check() -> Result<(), Error> {
    let text = fs::read_to_string(document())?;
    for name in Part::names() {
        replaced(&text, name, "")?;
    }
    Ok(())
}

/// Prints the results of a part.
pub(crate) fn print(name: &str, findings: &Findings) {
    println!("\n== {name}");
    for table in &findings.tables {
        println!("{}", table.plain());
    }
}

/// Replaces the results of a part.
pub(crate) fn write(name: &str, setting: &str, findings: &Findings) -> Result<(), Error> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let mut block = format!("\n{setting}\n");
    let mut charts = findings.charts.iter();
    // A chart follows its table if each table has one.
    let is_paired = findings.tables.len() == findings.charts.len();
    for table in &findings.tables {
        block += &format!("\n{}", table.markdown());
        if let (true, Some(chart)) = (is_paired, charts.next()) {
            block += &format!("\n![{}](performance/{}.svg)\n", chart.title, chart.name);
        }
    }
    for chart in charts {
        block += &format!("\n![{}](performance/{}.svg)\n", chart.title, chart.name);
    }
    for chart in &findings.charts {
        fs::write(folder.join(format!("{}.svg", chart.name)), chart.svg()?)?;
    }

    let text = fs::read_to_string(document())?;
    fs::write(document(), replaced(&text, name, &(block + "\n"))?)?;

    let numbers = folder.join("data.json");
    let mut all: Value = match fs::read(&numbers) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => json!({}),
    };
    all[name] = json!({"setting": setting, "results": findings.data});
    Ok(fs::write(
        numbers,
        serde_json::to_string_pretty(&all)? + "\n",
    )?)
}

fn replaced(text: &str, name: &str, block: &str) -> Result<String, Error> {
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->"),
    );
    let missing = || format!("docs/performance.md has no markers for {name}");
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}{block}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_place_is_filled() {
        let text = "<!-- begin x -->\n<!-- end x -->";
        let replaced = replaced(text, "x", "new\n").unwrap();
        assert_eq!(replaced, "<!-- begin x -->\nnew\n<!-- end x -->");
    }

    #[test]
    fn only_marked_text_is_replaced() {
        let text = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n";
        let replaced = replaced(text, "x", "new\n").unwrap();
        assert_eq!(replaced, "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n");
        assert!(super::replaced(text, "y", "new").is_err());
    }
}
