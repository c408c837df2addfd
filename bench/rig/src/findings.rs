//! The results of a part, as tables, charts and data.

use serde_json::Value;

/// All results of a part.
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
    /// The unit of the numbers.
    pub(crate) unit: &'static str,
    pub(crate) kind: ChartKind,
}

#[derive(Debug)]
pub(crate) enum ChartKind {
    /// Two stacked numbers for each name: server and PostgreSQL.
    Bars {
        bars: Vec<(String, [f64; 2])>,
        is_logarithmic: bool,
    },
    /// Lines between logarithmic axes.
    Lines { x: &'static str, lines: Vec<Line> },
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl TextTable {
    /// Formats the results for a console.
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

    /// Formats the results for the report.
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

/// The median.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// Formats a number with two or three significant digits.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        v if v < 0.095 => format!("{value:.2}"),
        v if v < 99.5 => format!("{value:.1}"),
        _ => grouped(value),
    }
}

/// A whole number.
pub(crate) fn whole(value: usize) -> String {
    grouped(value as f64)
}

/// Rounded, with groups of thousands from five digits on.
fn grouped(value: f64) -> String {
    let text = format!("{value:.0}");
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", &*text), |digits| ("-", digits));
    if digits.len() < 5 {
        return text;
    }
    let mut grouped = String::from(sign);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_are_read() {
        let texts = [0.0, 0.04, 1.26, 99.4, 100.4, 12_345.6, -1_234_567.0].map(number);
        assert_eq!(
            texts,
            ["0", "0.04", "1.3", "99.4", "100", "12,346", "-1,234,567"]
        );
        assert_eq!(whole(1), "1");
    }

    #[test]
    fn median_of_even_count_is_a_mean() {
        assert_eq!(median(&[3.0, 1.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 3.0]), 3.0);
    }
}
