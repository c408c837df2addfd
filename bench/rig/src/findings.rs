//! What a part of a run has found out, in a form that can be printed, written and drawn.

use serde_json::Value;

/// Everything that a part has to tell.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) tables: Vec<TextTable>,
    pub(crate) charts: Vec<Chart>,
    /// The numbers themselves, for `data.json`.
    pub(crate) data: Value,
}

/// A table of text; the first column is a name, the others are numbers.
#[derive(Debug, Default)]
pub(crate) struct TextTable {
    pub(crate) header: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A picture.
#[derive(Debug)]
pub(crate) struct Chart {
    /// The file's name without `.svg`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What the numbers are.
    pub(crate) unit: &'static str,
    pub(crate) kind: ChartKind,
}

#[derive(Debug)]
pub(crate) enum ChartKind {
    /// Two numbers on top of each other for each name: of the server, of PostgreSQL.
    Bars {
        bars: Vec<(String, [f64; 2])>,
        is_logarithmic: bool,
    },
    /// Lines over a logarithmic axis.
    Lines { x: &'static str, lines: Vec<Line> },
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl TextTable {
    /// For a console.
    pub(crate) fn plain(&self) -> String {
        let all: Vec<Vec<String>> = [self.header.iter().map(|text| (*text).to_owned()).collect()]
            .into_iter()
            .chain(self.rows.iter().cloned())
            .map(|row: Vec<String>| {
                row.iter()
                    .map(|cell| cell.replace(['*', '`'], ""))
                    .collect()
            })
            .collect();
        let width = |column: usize| {
            let cells = all.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ") + "\n"
        };
        all.iter().map(line).collect()
    }

    /// For the report.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let header: Vec<String> = self.header.iter().map(|text| (*text).to_owned()).collect();
        let rule: Vec<String> = (0..header.len())
            .map(|column| if column == 0 { "---" } else { "---:" }.to_owned())
            .collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&header) + &line(&rule) + &rows
    }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// As many digits as a reader needs, with thin groups of thousands.
pub(crate) fn number(value: f64) -> String {
    let text = match value.abs() {
        v if v < 0.095 => format!("{value:.2}"),
        v if v < 99.5 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", &*text), |digits| ("-", digits));
    if digits.contains('.') || digits.len() < 5 {
        return text;
    }
    let first = digits.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if first > 0 {
        groups.push(&digits[..first]);
    }
    groups.extend(
        (first..digits.len())
            .step_by(3)
            .map(|at| &digits[at..at + 3]),
    );
    format!("{sign}{}", groups.join(","))
}
