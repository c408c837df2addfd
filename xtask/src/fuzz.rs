//! `cargo xtask fuzz`: makes up input until something gives.

use std::fs;
use std::process::Command;

use crate::{cargo, workspace};

const TARGETS: [&str; 8] = [
    "authorization",
    "chatkit",
    "cookie",
    "database_url",
    "jwt",
    "key_set",
    "secret_ring",
    "trusted_origin",
];

const SECONDS: &str = "600";

/// What libFuzzer has to know of a program, in the words of the stable compiler. There is no sanitizer of memory: the
/// workspace has no `unsafe` code.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Runs every target, or one, for ten minutes each or as many seconds as were said.
pub(crate) fn run(arguments: &[String]) -> Result<u8, String> {
    let (targets, seconds) = match arguments {
        [] => (&TARGETS[..], SECONDS),
        [seconds] if seconds.parse::<u32>().is_ok() => (&TARGETS[..], &**seconds),
        [target] => (one(target)?, SECONDS),
        [target, seconds] if seconds.parse::<u32>().is_ok() => (one(target)?, &**seconds),
        _ => return Err("usage: cargo xtask fuzz [TARGET] [SECONDS]".to_owned()),
    };
    let fuzz = workspace().join("fuzz");
    // A target of its own keeps the compiler from instrumenting its own build scripts and macros.
    let host = host()?;
    let code = crate::run(
        cargo()
            .args(["build", "--release", "--locked", "--bins", "--target"])
            .arg(&host)
            .current_dir(&fuzz)
            .env("RUSTFLAGS", COVERAGE),
    )?;
    if code != 0 {
        return Ok(code);
    }
    for target in targets {
        let (corpus, findings) = (fuzz.join("corpus").join(target), fuzz.join("findings"));
        for folder in [&corpus, &findings] {
            fs::create_dir_all(folder)
                .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        eprintln!("==> {target}");
        let code = crate::run(
            Command::new(fuzz.join("target").join(&host).join("release").join(target))
                .current_dir(&fuzz)
                .arg(&corpus)
                .arg(fuzz.join("seeds").join(target))
                .arg(format!("-artifact_prefix={}/{target}-", findings.display()))
                .arg(format!("-max_total_time={seconds}"))
                // An input that takes a second is a way to stop a server.
                .args(["-timeout=1", "-max_len=16384", "-rss_limit_mb=1024", "-print_final_stats=1"]),
        )?;
        if code != 0 {
            eprintln!("{target}: the input is in {}", findings.display());
            return Ok(code);
        }
    }
    Ok(0)
}

fn one(target: &str) -> Result<&'static [&'static str], String> {
    let index = TARGETS.iter().position(|known| *known == target);
    index
        .and_then(|index| TARGETS.get(index..=index))
        .ok_or_else(|| format!("there is no target `{target}`, but {}", TARGETS.join(", ")))
}

/// The platform that we run on, by the compiler's name.
fn host() -> Result<String, String> {
    let output = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .map_err(|error| format!("cannot run rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim() {
        "" => Err("rustc does not say what it builds for".to_owned()),
        host => Ok(host.to_owned()),
    }
}
