//! Bytes per identity and time per hit as the cache grows, measured in a separate process.

use std::process::Command;

use serde_json::{Value, json};

use crate::error::Error;
use crate::findings::{Chart, ChartKind, Findings, Line, TextTable, number, whole};
use crate::options::Options;
use crate::server::own_program;

pub(crate) fn run(options: &Options) -> Result<Findings, Error> {
    let sizes: &[usize] = if options.quick {
        &[1_000, 10_000]
    } else {
        &[1_000, 10_000, 100_000, 1_000_000]
    };
    let mut table = TextTable {
        header: vec![
            "cached identities",
            "bytes each",
            "of that, in addition to the identity",
            "allocations each",
            "ns per hit",
        ],
        rows: Vec::new(),
    };
    let (mut data, mut points) = (Vec::new(), Vec::new());
    for size in sizes {
        eprintln!("memory: {size} identities");
        let output = Command::new(own_program("cached_identities")?)
            .arg(size.to_string())
            .output()?;
        let result: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
            format!(
                "the cache failed: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        })?;
        let of = |name: &str| result[name].as_f64().unwrap_or(f64::NAN);
        table.rows.push(vec![
            whole(*size),
            number(of("bytes")),
            number(of("bytes") - of("own_bytes")),
            number(of("allocations")),
            number(of("nanoseconds")),
        ]);
        points.push((*size as f64, of("nanoseconds")));
        data.push(result);
    }
    let chart = Chart {
        name: "cache",
        title: "Identities in the cache",
        unit: "ns per hit of one caller that looks up all entries in turn",
        kind: ChartKind::Lines {
            x: "identities",
            lines: vec![Line {
                name: "hit".to_owned(),
                points,
            }],
        },
    };
    let (allocations, counted) = allocations()?;
    Ok(Findings {
        tables: vec![table, allocations],
        charts: vec![chart],
        data: json!({"identities": data, "requests": counted}),
    })
}

/// Counts that are the same on every machine.
fn allocations() -> Result<(TextTable, Value), Error> {
    let output = Command::new(own_program("allocations")?).output()?;
    let counted: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        let reason = String::from_utf8_lossy(&output.stderr);
        format!("counting allocations failed: {reason}")
    })?;
    let mut table = TextTable {
        header: vec!["request through the layer", "allocations", "bytes"],
        rows: Vec::new(),
    };
    for request in counted.as_array().ok_or("no allocations were counted")? {
        let of = |name: &str| number(request[name].as_f64().unwrap_or(f64::NAN));
        let name = request["name"].as_str().unwrap_or_default().to_owned();
        table.rows.push(vec![name, of("allocations"), of("bytes")]);
    }
    Ok((table, counted))
}
