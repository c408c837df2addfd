//! All faults, in the order of the report.

use std::pin::Pin;

use crate::check::Check;
use crate::database::{
    frozen, full, host_name, idle_kills, locks, missing, network, pooler, read_only, restart, stop,
};
use crate::exhaustion::{cancelled, heads, idle, queue, slowloris, tokens};
use crate::keys::{clock, cold, skew, storm, warm};
use crate::options::Scale;

/// A fault.
pub(crate) struct Fault {
    /// The name on the command line and in the report.
    pub(crate) name: &'static str,
    /// The description in the report.
    pub(crate) what: &'static str,
    pub(crate) run: fn(Scale) -> Run,
}

/// A future that can be moved to a task.
pub(crate) type Run = Pin<Box<dyn Future<Output = Check> + Send>>;

/// A table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Faults of the database.
    Database,
    /// Faults of the issuer, and of clocks.
    Keys,
    /// Overload.
    Exhaustion,
}

/// All faults.
pub(crate) fn faults() -> impl Iterator<Item = (Table, &'static Fault)> {
    let of = |table: Table| table.faults().iter().map(move |fault| (table, fault));
    Table::ALL.into_iter().flat_map(of)
}

impl Table {
    pub(crate) const ALL: [Self; 3] = [Self::Database, Self::Keys, Self::Exhaustion];

    fn faults(self) -> &'static [Fault] {
        match self {
            Self::Database => DATABASE,
            Self::Keys => KEYS,
            Self::Exhaustion => EXHAUSTION,
        }
    }
}

const DATABASE: &[Fault] = &[
    Fault {
        name: "stop",
        what: "stopped for seven seconds",
        run: |_| Box::pin(stop::run()),
    },
    Fault {
        name: "restart",
        what: "restarted, `fast`",
        run: |_| Box::pin(restart::fast()),
    },
    Fault {
        name: "crash",
        what: "restarted, `immediate`",
        run: |_| Box::pin(restart::immediate()),
    },
    Fault {
        name: "frozen-backend",
        what: "the process behind the busiest connection frozen",
        run: |_| Box::pin(frozen::backend()),
    },
    Fault {
        name: "frozen-postmaster",
        what: "the postmaster frozen: no new connections",
        run: |_| Box::pin(frozen::postmaster()),
    },
    Fault {
        name: "frozen-database",
        what: "all of its processes frozen",
        run: |_| Box::pin(frozen::everything()),
    },
    Fault {
        name: "locks",
        what: "`ACCESS EXCLUSIVE` lock on the sessions for seven seconds",
        run: |_| Box::pin(locks::run()),
    },
    Fault {
        name: "full",
        what: "no new connection possible, and existing ones terminated",
        run: |_| Box::pin(full::run()),
    },
    Fault {
        name: "idle-kills",
        what: "idle connections terminated every 500 ms",
        run: |_| Box::pin(idle_kills::run()),
    },
    Fault {
        name: "read-only",
        what: "every transaction read-only",
        run: |_| Box::pin(read_only::run()),
    },
    Fault {
        name: "missing-table",
        what: "the table of users renamed",
        run: |_| Box::pin(missing::table()),
    },
    Fault {
        name: "missing-column",
        what: "`expiresAt` renamed",
        run: |_| Box::pin(missing::column()),
    },
    Fault {
        name: "missing-option",
        what: "the optional column `role` renamed",
        run: |_| Box::pin(missing::optional_column()),
    },
    Fault {
        name: "pooler",
        what: "another server with other tables behind the same PgBouncer, in transaction mode",
        run: |_| Box::pin(pooler::run()),
    },
    Fault {
        name: "link",
        what: "packets to and from it lost: half-open TCP, in a network namespace",
        run: |_| Box::pin(network::run()),
    },
    Fault {
        name: "name",
        what: "its host name unresolvable, and connections terminated every 500 ms",
        run: |_| Box::pin(host_name::run()),
    },
];

const KEYS: &[Fault] = &[
    Fault {
        name: "keys-down",
        what: "endpoint unreachable when the server starts",
        run: |_| Box::pin(cold::down()),
    },
    Fault {
        name: "keys-slow",
        what: "a byte every 50 ms",
        run: |_| Box::pin(cold::slow()),
    },
    Fault {
        name: "keys-silent",
        what: "requests accepted and never answered",
        run: |_| Box::pin(cold::silent()),
    },
    Fault {
        name: "keys-garbage",
        what: "responses that are not HTTP",
        run: |_| Box::pin(cold::garbage()),
    },
    Fault {
        name: "keys-page",
        what: "an HTML page instead of the key set",
        run: |_| Box::pin(cold::no_keys()),
    },
    Fault {
        name: "keys-empty",
        what: "a set without keys",
        run: |_| Box::pin(cold::empty()),
    },
    Fault {
        name: "keys-gone",
        what: "endpoint unreachable after the keys were fetched",
        run: |_| Box::pin(warm::run()),
    },
    Fault {
        name: "keys-storm",
        what: "100,000 tokens, each with a different key id",
        run: |scale| Box::pin(storm::run(scale)),
    },
    Fault {
        name: "skew",
        what: "tokens of an issuer with a clock an hour ahead (valid, except with `nbf`) or behind (invalid)",
        run: |_| Box::pin(skew::run()),
    },
    Fault {
        name: "clock-jump",
        what: "the service's clock two days ahead, correct, two days behind, correct",
        run: |_| Box::pin(clock::run()),
    },
];

const EXHAUSTION: &[Fault] = &[
    Fault {
        name: "bad-tokens",
        what: "1,000,000 different invalid tokens",
        run: |scale| Box::pin(tokens::bad(scale)),
    },
    Fault {
        name: "unknown-users",
        what: "1,000,000 different valid tokens with unknown emails",
        run: |scale| Box::pin(tokens::unknown(scale)),
    },
    Fault {
        name: "large-heads",
        what: "20,000 heads of 60 or 64 KiB",
        run: |scale| Box::pin(heads::large(scale)),
    },
    Fault {
        name: "many-headers",
        what: "20,000 heads with 300 lines",
        run: |scale| Box::pin(heads::many(scale)),
    },
    Fault {
        name: "slowloris",
        what: "2,000 clients that send a byte a second",
        run: |scale| Box::pin(slowloris::run(scale)),
    },
    Fault {
        name: "idle",
        what: "10,000 idle connections",
        run: |scale| Box::pin(idle::run(scale)),
    },
    Fault {
        name: "cancelled",
        what: "5,000 requests cancelled after 10 ms, under a lock",
        run: |scale| Box::pin(cancelled::run(scale)),
    },
    Fault {
        name: "line",
        what: "3,000 concurrent lookups, under a lock",
        run: |scale| Box::pin(queue::run(scale)),
    },
];
