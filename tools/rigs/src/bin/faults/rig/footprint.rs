//! The resources of a process, from the operating system.

use std::fs;

/// A process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

/// The resources at a point in time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Footprint {
    pub(crate) files: usize,
    pub(crate) threads: u64,
    /// Resident memory in bytes.
    pub(crate) memory: u64,
    /// The connections, as counted by the database.
    pub(crate) connections: usize,
}

impl Process {
    /// The current resources, with the database's count of connections.
    pub(crate) fn footprint(self, connections: usize) -> Footprint {
        let files =
            fs::read_dir(format!("/proc/{}/fd", self.0)).expect("the server runs, on Linux");
        Footprint {
            files: files.count(),
            threads: self.status("Threads:"),
            memory: self.memory(),
            connections,
        }
    }

    /// The resident memory in bytes.
    pub(crate) fn memory(self) -> u64 {
        self.status("VmRSS:") * 1024
    }

    /// The peak of resident memory since [`forget_peak`](Self::forget_peak), in bytes.
    pub(crate) fn peak(self) -> u64 {
        self.status("VmHWM:") * 1024
    }

    /// Resets the peak.
    pub(crate) fn forget_peak(self) {
        let outcome = fs::write(format!("/proc/{}/clear_refs", self.0), "5");
        outcome.expect("the server runs as the same user");
    }

    /// Fails if one of the processes cannot open this number of connections.
    pub(crate) fn must_be_able_to_open(self, connections: u64) {
        // Both have other files open as well.
        let needed = connections + 300;
        for process in [self.0.to_string(), "self".to_owned()] {
            let limits = fs::read_to_string(format!("/proc/{process}/limits")).expect("Linux");
            let line = limits
                .lines()
                .find_map(|line| line.strip_prefix("Max open files"));
            let limit = line.and_then(|rest| rest.split_whitespace().next());
            let limit = limit
                .and_then(|limit| limit.parse().ok())
                .unwrap_or(u64::MAX);
            assert!(
                limit >= needed,
                "{needed} files have to be open, and {limit} may be: raise the hard limit (`ulimit -Hn {needed}`)"
            );
        }
    }

    fn status(self, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0));
        let text = text.expect("the server runs, on Linux");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).expect(name)
    }
}

/// Bytes as text.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1024.0 * 1024.0))
}
