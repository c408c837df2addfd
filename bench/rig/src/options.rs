//! The command line.

use std::time::Duration;

use crate::contestant::Group;
use crate::error::Error;

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench [--quick] [--write] [--part PART,…] [--only GROUP,…] [--workers N]
       cargo xtask bench micro [arguments of criterion…]

  --quick     short rounds and few of them: to see that the rig works, or a rough answer
  --write     puts the results, tables and charts of the parts that were run into docs/performance
  --part      table, store, sqlite, latency, revocation, scaling, memory; default: all of them
  --only      of the table: floors, ours, rust, node, python; default: all of them. hyper without authentication is
              always there, because the others are compared with it. Not with --write
  --workers   threads of each Rust server; default 1";

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All servers under the same load.
    Table,
    /// The PostgreSQL store, compared with pgbench.
    Store,
    /// The SQLite store.
    Sqlite,
    /// One request at a time.
    Latency,
    /// The time from the commit of a sign-out to the rejection.
    Revocation,
    /// Cost as a function of size.
    Scaling,
    /// Bytes per cached identity.
    Memory,
}

impl Part {
    const ALL: [(&str, Self); 7] = [
        ("table", Self::Table),
        ("store", Self::Store),
        ("sqlite", Self::Sqlite),
        ("latency", Self::Latency),
        ("revocation", Self::Revocation),
        ("scaling", Self::Scaling),
        ("memory", Self::Memory),
    ];

    /// The names on the command line and in the report.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }
}

/// The selected parts and durations.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) parts: Vec<Part>,
    pub(crate) groups: Vec<Group>,
    pub(crate) quick: bool,
    pub(crate) write: bool,
    pub(crate) workers: usize,
}

impl Options {
    /// Parses the arguments.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options = Self {
            parts: Part::ALL.iter().map(|(_, part)| *part).collect(),
            groups: Group::ALL.iter().map(|(_, group)| *group).collect(),
            quick: false,
            write: false,
            workers: 1,
        };
        let mut is_partial_table = false;
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{argument} needs a value\n\n{USAGE}"))
            };
            match &*argument {
                "--quick" => options.quick = true,
                "--write" => options.write = true,
                "--part" => options.parts = named(&value()?, &Part::ALL)?,
                "--only" => {
                    options.groups = named(&value()?, &Group::ALL)?;
                    is_partial_table = true;
                }
                "--workers" => options.workers = value()?.parse()?,
                _ => return Err(format!("unknown argument `{argument}`\n\n{USAGE}").into()),
            }
        }
        if options.write && is_partial_table && options.has(Part::Table) {
            return Err("--only measures some servers and cannot replace the complete table: omit --write or --only".into());
        }
        if options.write && options.quick {
            return Err(
                "--quick rounds are too short for the report: omit --write or --quick".into(),
            );
        }
        Ok(options)
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// The number of rounds.
    pub(crate) fn rounds(&self, of_full_run: usize) -> usize {
        if self.quick { 2 } else { of_full_run }
    }

    /// The duration of a measurement.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_millis(if self.quick { 700 } else { 3000 })
    }

    /// The duration of the warm-up.
    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { 500 })
    }
}

fn named<T: Copy>(list: &str, all: &[(&str, T)]) -> Result<Vec<T>, Error> {
    list.split(',')
        .map(|name| {
            let found = all.iter().find(|(known, _)| *known == name);
            let known = || {
                all.iter()
                    .map(|(name, _)| *name)
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            Ok(found
                .ok_or_else(|| format!("`{name}` is none of {}", known()))?
                .1)
        })
        .collect()
}
