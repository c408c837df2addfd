//! The command line.

use crate::catalogue::{Fault, Table, faults};

const USAGE: &str = "\
usage: cargo xtask faults [--quick] [--write] [NAME…]

  --quick   a hundredth of the requests where a million are due: to see that the rig works. Not with --write
  --write   puts the rows of what was run and was as expected into docs/faults.md
  NAME…     some of them alone:";

/// The amount of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// The amount of the report.
    Full,
    /// A small amount, to test the rig.
    Quick,
}

impl Scale {
    /// The number, or a hundredth of it.
    pub(crate) fn of(self, many: u64) -> u64 {
        match self {
            Self::Full => many,
            Self::Quick => many / 100,
        }
    }
}

/// The selected faults.
pub(crate) struct Options {
    pub(crate) faults: Vec<(Table, &'static Fault)>,
    pub(crate) scale: Scale,
    pub(crate) write: bool,
}

impl Options {
    /// Parses the arguments. The error is for the user.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut names, mut scale, mut write) = (Vec::new(), Scale::Full, false);
        for argument in arguments {
            match &*argument {
                "--quick" => scale = Scale::Quick,
                "--write" => write = true,
                name if faults().any(|(_, fault)| fault.name == name) => names.push(argument),
                _ => return Err(format!("`{argument}` is not known\n\n{}", usage())),
            }
        }
        if write && scale == Scale::Quick {
            return Err("--write needs a full run".to_owned());
        }
        let is_chosen = |(_, fault): &(Table, &Fault)| {
            names.is_empty() || names.iter().any(|name| name.as_str() == fault.name)
        };
        Ok(Self {
            faults: faults().filter(is_chosen).collect(),
            scale,
            write,
        })
    }
}

fn usage() -> String {
    let lines =
        faults().map(|(_, fault)| format!("\n              {:<20}{}", fault.name, fault.what));
    format!("{USAGE}{}", lines.collect::<String>())
}
