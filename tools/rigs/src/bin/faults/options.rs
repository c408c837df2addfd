//! The command line.

use crate::catalogue::{Ordeal, Table, ordeals};

const USAGE: &str = "\
usage: cargo xtask faults [--quick] [--write] [NAME…]

  --quick   a hundredth of the requests where a million are due: to see that the rig works. Not with --write
  --write   puts the rows of what was run and was as expected into docs/faults.md
  NAME…     some of them alone:";

/// How much is thrown at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// What the report is about.
    Full,
    /// To see that it works.
    Quick,
}

impl Scale {
    /// So many, or a hundredth.
    pub(crate) fn of(self, many: u64) -> u64 {
        match self {
            Self::Full => many,
            Self::Quick => many / 100,
        }
    }
}

/// What is run.
pub(crate) struct Options {
    pub(crate) ordeals: Vec<(Table, &'static Ordeal)>,
    pub(crate) scale: Scale,
    pub(crate) write: bool,
}

impl Options {
    /// Reads the arguments; the error is for the user.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut names, mut scale, mut write) = (Vec::new(), Scale::Full, false);
        for argument in arguments {
            match &*argument {
                "--quick" => scale = Scale::Quick,
                "--write" => write = true,
                name if ordeals().any(|(_, ordeal)| ordeal.name == name) => names.push(argument),
                _ => return Err(format!("`{argument}` is not known\n\n{}", usage())),
            }
        }
        if write && scale == Scale::Quick {
            return Err("--write is for what was run in full".to_owned());
        }
        let is_chosen = |(_, ordeal): &(Table, &Ordeal)| {
            names.is_empty() || names.iter().any(|name| name.as_str() == ordeal.name)
        };
        Ok(Self {
            ordeals: ordeals().filter(is_chosen).collect(),
            scale,
            write,
        })
    }
}

fn usage() -> String {
    let lines =
        ordeals().map(|(_, ordeal)| format!("\n              {:<20}{}", ordeal.name, ordeal.what));
    format!("{USAGE}{}", lines.collect::<String>())
}
