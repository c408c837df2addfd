//! What one ordeal has shown.

/// A row of the report, and what went against an expectation.
#[derive(Debug)]
pub(crate) struct Check {
    /// The cells behind the name, under the headings of the ordeal's table.
    pub(crate) cells: Vec<String>,
    pub(crate) violations: Vec<String>,
}

impl Check {
    /// Of a rig that did not come to its end.
    pub(crate) fn broken(error: &str) -> Self {
        Self {
            cells: Vec::new(),
            violations: vec![format!("the rig itself failed: {error}")],
        }
    }

    /// Whether every expectation held.
    pub(crate) fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// For whoever watches.
    pub(crate) fn print(&self) {
        println!("    {}", self.cells.join(" | "));
        for violation in &self.violations {
            println!("    NOT AS EXPECTED: {violation}");
        }
    }
}
