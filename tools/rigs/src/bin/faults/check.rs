//! The result of a fault.

/// A row of the report, and the violated expectations.
#[derive(Debug)]
pub(crate) struct Check {
    /// The cells after the name, for the headings of the table.
    pub(crate) cells: Vec<String>,
    pub(crate) violations: Vec<String>,
}

impl Check {
    /// The result of a rig that failed.
    pub(crate) fn broken(error: &str) -> Self {
        Self {
            cells: Vec::new(),
            violations: vec![format!("the rig itself failed: {error}")],
        }
    }

    /// Whether all expectations hold.
    pub(crate) fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// Prints the result.
    pub(crate) fn print(&self) {
        println!("    {}", self.cells.join(" | "));
        for violation in &self.violations {
            println!("    NOT AS EXPECTED: {violation}");
        }
    }
}
