//! What a process holds, from the operating system's accounts.

use std::fs;

/// A process that is looked at from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

/// What it holds at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Footprint {
    pub(crate) files: usize,
    pub(crate) threads: u64,
    /// Resident memory in bytes.
    pub(crate) memory: u64,
    /// Connections to the database, as the database counts them.
    pub(crate) connections: usize,
}

impl Process {
    /// What it holds now; its connections are the database's to count.
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

    /// Its resident memory in bytes.
    pub(crate) fn memory(self) -> u64 {
        self.status("VmRSS:") * 1024
    }

    /// The most that was resident since [`forget_peak`](Self::forget_peak), in bytes.
    pub(crate) fn peak(self) -> u64 {
        self.status("VmHWM:") * 1024
    }

    /// Counts the peak from now on.
    pub(crate) fn forget_peak(self) {
        let outcome = fs::write(format!("/proc/{}/clear_refs", self.0), "5");
        outcome.expect("the server is of our own user");
    }

    /// Fails where it, or we, could not hold so many connections.
    pub(crate) fn must_be_able_to_open(self, connections: u64) {
        // What both have open beside them.
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

/// Bytes for people.
pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1024.0 * 1024.0))
}
