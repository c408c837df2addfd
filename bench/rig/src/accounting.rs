//! CPU time and memory of processes, from `/proc`.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::error::Error;

/// The CPU time of a process and of its current and former children.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration, Error> {
    let mut ticks = 0;
    for pid in [pid].into_iter().chain(children(pid)?) {
        match ticks_of(pid) {
            Ok(of_this) => ticks += of_this,
            // The process of a connection has exited; its time is part of the parent's.
            Err(_) => continue,
        }
    }
    Ok(Duration::from_secs_f64(
        ticks as f64 / ticks_per_second() as f64,
    ))
}

/// The peak resident memory of a process in bytes.
pub(crate) fn peak_memory(pid: u32) -> Result<u64, Error> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
    let kilobytes: u64 = kilobytes
        .ok_or("no VmHWM in /proc: this is not Linux")?
        .parse()?;
    Ok(kilobytes * 1024)
}

fn children(parent: u32) -> Result<Vec<u32>, Error> {
    let all = fs::read_dir("/proc")?.flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    Ok(pids
        .filter(|pid| {
            fields(*pid)
                .ok()
                .and_then(|fields| fields.get(1)?.parse().ok())
                == Some(parent)
        })
        .collect())
}

fn ticks_of(pid: u32) -> Result<u64, Error> {
    let fields = fields(pid)?;
    let values = fields.get(11..15).ok_or("/proc/PID/stat is short")?;
    values.iter().map(|text| Ok(text.parse::<u64>()?)).sum()
}

/// The fields of `/proc/PID/stat` from the third on. The second, the name, may contain spaces.
fn fields(pid: u32) -> Result<Vec<String>, Error> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')').ok_or("/proc/PID/stat has no name")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

fn ticks_per_second() -> u64 {
    static TICKS: OnceLock<u64> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let output = Command::new("getconf").arg("CLK_TCK").output().ok();
        let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
        text.and_then(|text| text.trim().parse().ok())
            .unwrap_or(100)
    })
}
