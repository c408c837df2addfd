//! Everything that a server is put through, in the order of the report.

use std::pin::Pin;

use crate::database::{
    frozen, full, idle_kills, link, locks, missing, name, pooler, read_only, restart, stop,
};
use crate::exhaustion::{cancelled, heads, idle, line, slowloris, tokens};
use crate::finding::Check;
use crate::keys::{clock, cold, skew, storm, warm};
use crate::options::Scale;

/// One of them.
pub(crate) struct Ordeal {
    /// For the command line and the report.
    pub(crate) name: &'static str,
    /// What happens, in the words of the report.
    pub(crate) what: &'static str,
    pub(crate) run: fn(Scale) -> Run,
}

/// It may be moved to a task of its own.
pub(crate) type Run = Pin<Box<dyn Future<Output = Check> + Send>>;

/// A table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Faults of the database.
    Database,
    /// Faults of the issuer, and clocks.
    Keys,
    /// Loads that are too much.
    Exhaustion,
}

/// All of them.
pub(crate) fn ordeals() -> impl Iterator<Item = (Table, &'static Ordeal)> {
    let of = |table: Table| table.ordeals().iter().map(move |ordeal| (table, ordeal));
    Table::ALL.into_iter().flat_map(of)
}

impl Table {
    pub(crate) const ALL: [Self; 3] = [Self::Database, Self::Keys, Self::Exhaustion];

    fn ordeals(self) -> &'static [Ordeal] {
        match self {
            Self::Database => DATABASE,
            Self::Keys => KEYS,
            Self::Exhaustion => EXHAUSTION,
        }
    }
}

const DATABASE: &[Ordeal] = &[
    Ordeal {
        name: "stop",
        what: "stopped for seven seconds",
        run: |_| Box::pin(stop::run()),
    },
    Ordeal {
        name: "restart",
        what: "restarted, `fast`",
        run: |_| Box::pin(restart::fast()),
    },
    Ordeal {
        name: "crash",
        what: "restarted, `immediate`",
        run: |_| Box::pin(restart::immediate()),
    },
    Ordeal {
        name: "frozen-backend",
        what: "the process behind the busiest connection frozen",
        run: |_| Box::pin(frozen::backend()),
    },
    Ordeal {
        name: "frozen-postmaster",
        what: "its first process frozen: no new connections",
        run: |_| Box::pin(frozen::postmaster()),
    },
    Ordeal {
        name: "frozen-database",
        what: "all of its processes frozen",
        run: |_| Box::pin(frozen::everything()),
    },
    Ordeal {
        name: "locks",
        what: "`ACCESS EXCLUSIVE` lock on the sessions for seven seconds",
        run: |_| Box::pin(locks::run()),
    },
    Ordeal {
        name: "full",
        what: "no connection to be had, and the server's own ended",
        run: |_| Box::pin(full::run()),
    },
    Ordeal {
        name: "idle-kills",
        what: "idle connections ended every 500 ms",
        run: |_| Box::pin(idle_kills::run()),
    },
    Ordeal {
        name: "read-only",
        what: "every transaction read-only",
        run: |_| Box::pin(read_only::run()),
    },
    Ordeal {
        name: "missing-table",
        what: "the table of users renamed",
        run: |_| Box::pin(missing::table()),
    },
    Ordeal {
        name: "missing-column",
        what: "`expiresAt` renamed",
        run: |_| Box::pin(missing::column()),
    },
    Ordeal {
        name: "missing-option",
        what: "`role` renamed, which need not be there",
        run: |_| Box::pin(missing::optional_column()),
    },
    Ordeal {
        name: "pooler",
        what: "another server with other tables behind the same PgBouncer, in transaction mode",
        run: |_| Box::pin(pooler::run()),
    },
    Ordeal {
        name: "link",
        what: "packets to and from it lost: half-open TCP, in a network namespace",
        run: |_| Box::pin(link::run()),
    },
    Ordeal {
        name: "name",
        what: "the name of its host unknown, and connections ended every 500 ms",
        run: |_| Box::pin(name::run()),
    },
];

const KEYS: &[Ordeal] = &[
    Ordeal {
        name: "keys-down",
        what: "nobody listens when the server starts",
        run: |_| Box::pin(cold::down()),
    },
    Ordeal {
        name: "keys-slow",
        what: "a byte every 50 ms",
        run: |_| Box::pin(cold::slow()),
    },
    Ordeal {
        name: "keys-silent",
        what: "requests taken and never answered",
        run: |_| Box::pin(cold::silent()),
    },
    Ordeal {
        name: "keys-garbage",
        what: "no HTTP",
        run: |_| Box::pin(cold::garbage()),
    },
    Ordeal {
        name: "keys-page",
        what: "a page in place of the set",
        run: |_| Box::pin(cold::no_keys()),
    },
    Ordeal {
        name: "keys-empty",
        what: "a set without keys",
        run: |_| Box::pin(cold::empty()),
    },
    Ordeal {
        name: "keys-gone",
        what: "nobody listens after the keys were fetched",
        run: |_| Box::pin(warm::run()),
    },
    Ordeal {
        name: "keys-storm",
        what: "100,000 tokens, each with a key id of its own",
        run: |scale| Box::pin(storm::run(scale)),
    },
    Ordeal {
        name: "skew",
        what: "tokens of an issuer whose clock is an hour ahead (good, but with `nbf`) or behind (bad)",
        run: |_| Box::pin(skew::run()),
    },
    Ordeal {
        name: "clock-jump",
        what: "our own clock two days ahead, right, two days behind, right",
        run: |_| Box::pin(clock::run()),
    },
];

const EXHAUSTION: &[Ordeal] = &[
    Ordeal {
        name: "bad-tokens",
        what: "1,000,000 bad tokens, all different",
        run: |scale| Box::pin(tokens::bad(scale)),
    },
    Ordeal {
        name: "unknown-users",
        what: "1,000,000 good tokens for addresses that nobody has, all different",
        run: |scale| Box::pin(tokens::unknown(scale)),
    },
    Ordeal {
        name: "large-heads",
        what: "20,000 heads of 60 or 64 KiB",
        run: |scale| Box::pin(heads::large(scale)),
    },
    Ordeal {
        name: "many-headers",
        what: "20,000 heads with 300 lines",
        run: |scale| Box::pin(heads::many(scale)),
    },
    Ordeal {
        name: "slowloris",
        what: "2,000 clients that send a byte a second",
        run: |scale| Box::pin(slowloris::run(scale)),
    },
    Ordeal {
        name: "idle",
        what: "10,000 idle connections",
        run: |scale| Box::pin(idle::run(scale)),
    },
    Ordeal {
        name: "cancelled",
        what: "5,000 requests given up after 10 ms, under a lock",
        run: |scale| Box::pin(cancelled::run(scale)),
    },
    Ordeal {
        name: "line",
        what: "3,000 lookups at the same time, under a lock",
        run: |scale| Box::pin(line::run(scale)),
    },
];
