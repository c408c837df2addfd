//! Expected and actual responses.

use crate::http::Answer;

/// A response of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// The request reached ChatKit.
    Passes,
    /// The credential is invalid.
    Unauthorized,
    /// The page is not trusted.
    CrossOrigin,
    /// The sessions of the user have ended.
    NoSession,
    /// The user is banned.
    Banned,
    /// The user does not exist.
    NoUser,
}

impl Expected {
    fn is_met(self, answer: &Answer) -> bool {
        let (status, body) = match self {
            Self::Passes => return answer.status == 200,
            Self::Unauthorized => (401, "Invalid or expired JWT token"),
            Self::CrossOrigin => (403, "Cross-origin request refused"),
            Self::NoSession => (404, "No active sessions found for user"),
            Self::Banned => (403, "User is banned"),
            Self::NoUser => (404, "User not found with provided email"),
        };
        let body = format!(r#"{{"error": "{body}", "status": {status}}}"#);
        answer.status == status && answer.body == body
    }
}

/// The table of results.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    place: String,
    step: String,
    expected: String,
    got: String,
    is_good: bool,
}

impl Report {
    /// Adds a response.
    pub(crate) fn add(&mut self, place: &str, step: &str, expected: Expected, answer: &Answer) {
        let is_good = expected.is_met(answer);
        let body = if is_good { "" } else { answer.body.as_str() };
        self.push(
            place,
            step,
            format!("{expected:?}"),
            format!("{} {body}", answer.status),
            is_good,
        );
    }

    /// Adds another expectation.
    pub(crate) fn push(
        &mut self,
        place: &str,
        step: &str,
        expected: String,
        got: String,
        is_good: bool,
    ) {
        let row = Row {
            place: place.to_owned(),
            step: step.to_owned(),
            expected,
            got,
            is_good,
        };
        eprintln!(
            "{} {}: {}: {}",
            if is_good { "ok  " } else { "FAIL" },
            row.place,
            row.step,
            row.got
        );
        self.rows.push(row);
    }

    /// Whether the table is not empty and everything was as expected.
    pub(crate) fn is_good(&self) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row.is_good)
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        println!("{:<12} {:<58} {:<14} got", "where", "step", "expected");
        for row in &self.rows {
            let mark = if row.is_good { "" } else { "  <-- differs" };
            println!(
                "{:<12} {:<58} {:<14} {}{mark}",
                row.place, row.step, row.expected, row.got
            );
        }
        let good = self.rows.iter().filter(|row| row.is_good).count();
        println!("interop: {good} of {} as expected", self.rows.len());
    }
}
