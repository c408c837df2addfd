//! A steady load of all kinds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::client::Connection;
use super::kind::Kind;
use super::record::{Answered, Record};
use super::users::Users;

/// The number of connections for each kind.
pub(crate) type Mix = &'static [(Kind, usize)];

/// Thirty-two connections.
pub(crate) const USUAL: Mix = &[
    (Kind::Token, 10),
    (Kind::Session, 4),
    (Kind::Key, 4),
    (Kind::Bad, 4),
    (Kind::Behind, 1),
    (Kind::ForgedKey, 1),
    (Kind::NoUser, 3),
    (Kind::NoSession, 3),
    (Kind::Banned, 2),
];

/// With tokens that name an unknown key.
pub(crate) const WITH_UNKNOWN_KEYS: Mix = &[
    (Kind::Token, 7),
    (Kind::Session, 3),
    (Kind::Key, 6),
    (Kind::Bad, 3),
    (Kind::Behind, 2),
    (Kind::ForgedKey, 2),
    (Kind::UnknownKey, 3),
    (Kind::NoUser, 2),
    (Kind::NoSession, 2),
    (Kind::Banned, 2),
];

/// With tokens of an issuer whose clock is wrong.
pub(crate) const OF_ANOTHER_TIME: Mix = &[
    (Kind::Token, 6),
    (Kind::Key, 5),
    (Kind::Ahead, 5),
    (Kind::NotYet, 5),
    (Kind::Behind, 5),
    (Kind::Bad, 2),
    (Kind::NoUser, 2),
    (Kind::NoSession, 2),
];

/// Valid requests only, in addition to another load.
pub(crate) const GOOD: Mix = &[(Kind::Token, 4), (Kind::Session, 2), (Kind::Key, 2)];

/// The same number, without an issuer.
pub(crate) const WITHOUT_KEYS: Mix = &[
    (Kind::Token, 12),
    (Kind::Session, 6),
    (Kind::Bad, 4),
    (Kind::Behind, 2),
    (Kind::NoUser, 3),
    (Kind::NoSession, 3),
    (Kind::Banned, 2),
];

/// The interval of a connection's requests.
const PACE: Duration = Duration::from_millis(50);

/// Connections that send requests until they are stopped.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    connections: JoinSet<()>,
}

impl Load {
    /// Starts the load.
    pub(crate) fn start(
        address: SocketAddr,
        users: &Arc<Users>,
        mix: Mix,
        record: &Arc<Record>,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut connections = JoinSet::new();
        for &(kind, of_kind) in mix {
            for number in 0..of_kind {
                let asker = Asker {
                    address,
                    users: Arc::clone(users),
                    record: Arc::clone(record),
                    kind,
                };
                connections.spawn(asker.go_on(number, of_kind, Arc::clone(&stop)));
            }
        }
        Self { stop, connections }
    }

    /// Stops when all responses have arrived.
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.connections.join_all().await;
    }
}

struct Asker {
    address: SocketAddr,
    users: Arc<Users>,
    record: Arc<Record>,
    kind: Kind,
}

impl Asker {
    /// Sends the requests of every nth user, so that no two connections use the same user.
    async fn go_on(self, number: usize, of: usize, stop: Arc<AtomicBool>) {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connection = None;
        let requests = self.users.requests(self.kind);
        for asked in requests.iter().skip(number).step_by(of).cycle() {
            pace.tick().await;
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let sent = Instant::now();
            let outcome = async {
                let connection = match &mut connection {
                    Some(connection) => connection,
                    none => none.insert(Connection::open(self.address).await?),
                };
                let reply = connection.ask(&asked.bytes).await?;
                self.record.add(Answered {
                    kind: self.kind,
                    sent,
                    answered: Instant::now(),
                    status: reply.status,
                    body: reply.body,
                    verdict: self.kind.judge(&asked.echo, reply.status, reply.body),
                });
                Ok::<_, String>(())
            };
            if let Err(error) = outcome.await {
                self.record.add_broken(self.kind, sent, &error);
                connection = None;
            }
        }
    }
}
