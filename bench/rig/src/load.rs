//! The load: keep-alive connections, each with one request after the other.
//!
//! Of our own rather than wrk, for three reasons: it needs nothing installed, it takes a different user for every request
//! without a script in between, and it refuses to call a number a result when an answer was not `200`. It costs about
//! as much CPU as wrk does, on its one thread.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use crate::accounting::cpu_time;
use crate::deployment::{Credential, Deployment};
use crate::error::Error;
use crate::latencies::Latencies;
use crate::server::Server;

/// No answer takes that long, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

const BODY: &str = r#"{"type":"threads.list","params":{"limit":20,"order":"desc"}}"#;

/// Requests of many users, ready to be sent.
pub(crate) type Requests = Rc<[Box<[u8]>]>;

/// The requests of users `1..=users`.
pub(crate) fn requests(deployment: &Deployment, credential: Credential, users: usize) -> Requests {
    (1..=users)
        .map(|user| request(&deployment.header(credential, user)))
        .collect()
}

/// A request with a credential's header line.
pub(crate) fn request(header: &str) -> Box<[u8]> {
    let length = BODY.len();
    format!(
        "POST /support/chatkit HTTP/1.1\r\nhost: localhost\r\n{header}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{BODY}"
    )
    .into_bytes()
    .into()
}

/// How much, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) per_second: f64,
    /// CPU time per request in microseconds, of all servers and of PostgreSQL.
    pub(crate) server_us: f64,
    pub(crate) postgres_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    WarmUp,
    Measured,
    Over,
}

struct Shared {
    phase: Cell<Phase>,
    latencies: RefCell<Latencies>,
}

impl Load {
    /// Puts the load on servers, evenly, while `postmaster` serves them.
    pub(crate) async fn run(
        self,
        servers: &[&Server],
        requests: &Requests,
        postmaster: u32,
    ) -> Result<Round, Error> {
        let shared = Rc::new(Shared {
            phase: Cell::new(Phase::WarmUp),
            latencies: RefCell::new(Latencies::new()?),
        });
        let local = LocalSet::new();
        let mut connections = Vec::new();
        for (number, server) in (0..self.connections).zip(servers.iter().cycle()) {
            let (shared, requests) = (Rc::clone(&shared), Rc::clone(requests));
            connections.push(local.spawn_local(connection(
                server.address,
                number,
                requests,
                shared,
            )));
        }
        let measured = async {
            sleep(self.warm_up).await;
            let before = Costs::now(servers, postmaster)?;
            let start = Instant::now();
            shared.phase.set(Phase::Measured);
            sleep(self.window).await;
            shared.phase.set(Phase::Over);
            let time = start.elapsed();
            let after = Costs::now(servers, postmaster)?;
            let mut failure = None;
            for connection in connections {
                if let Err(error) = connection.await? {
                    failure = Some(error);
                }
            }
            if let Some(failure) = failure {
                let names: Vec<&str> = servers.iter().map(|server| server.name()).collect();
                return Err(format!("{}: {failure}", names.join(", ")).into());
            }
            let latencies = shared.latencies.borrow();
            let answered = latencies.count().max(1) as f64;
            let each = |before: Duration, after: Duration| {
                after.saturating_sub(before).as_secs_f64() * 1e6 / answered
            };
            Ok::<_, Error>(Round {
                per_second: answered / time.as_secs_f64(),
                server_us: each(before.servers, after.servers),
                postgres_us: each(before.postgres, after.postgres),
                p50_us: latencies.quantile_us(0.5),
                p99_us: latencies.quantile_us(0.99),
            })
        };
        local.run_until(measured).await
    }
}

struct Costs {
    servers: Duration,
    postgres: Duration,
}

impl Costs {
    fn now(servers: &[&Server], postmaster: u32) -> Result<Self, Error> {
        let servers = servers
            .iter()
            .map(|server| cpu_time(server.pid()))
            .sum::<Result<_, _>>()?;
        let postgres = cpu_time(postmaster)?;
        Ok(Self { servers, postgres })
    }
}

async fn connection(
    address: SocketAddr,
    number: usize,
    requests: Requests,
    shared: Rc<Shared>,
) -> Result<(), String> {
    let mut connection = Connection::open(address).await?;
    // Every connection has an order of its own, the same in every run.
    let mut random = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    while shared.phase.get() != Phase::Over {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let request = &requests[(random % requests.len() as u64) as usize];
        let asked = Instant::now();
        match connection.ask(request).await? {
            200 => {}
            status => return Err(format!("answered {status} where 200 was due")),
        }
        if shared.phase.get() == Phase::Measured {
            shared.latencies.borrow_mut().record(asked.elapsed());
        }
    }
    Ok(())
}

/// One keep-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| format!("does not listen: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            stream,
            buffer: vec![0; 16 * 1024],
        })
    }

    /// Sends a request, reads the whole answer, and says its status.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<u16, String> {
        match self.stream.write_all(request).await {
            Ok(()) => {}
            Err(error) => return Err(format!("hung up: {error}")),
        }
        let mut filled = 0;
        loop {
            // A timer is armed only where there is something to wait for.
            let read = match self.stream.try_read(&mut self.buffer[filled..]) {
                Ok(read) => read,
                Err(_) => timeout(PATIENCE, self.stream.read(&mut self.buffer[filled..]))
                    .await
                    .map_err(|_| format!("did not answer within {} s", PATIENCE.as_secs()))?
                    .map_err(|error| format!("hung up: {error}"))?,
            };
            if read == 0 {
                return Err("hung up in the midst of an answer".to_owned());
            }
            filled += read;
            let answer = Answer::read(&self.buffer[..filled])?;
            match answer {
                Some(answer) if answer.length <= filled => return Ok(answer.status),
                _ if filled == self.buffer.len() => return Err("answered with too much".to_owned()),
                _ => {}
            }
        }
    }
}

struct Answer {
    status: u16,
    length: usize,
}

impl Answer {
    /// Status and length of an answer whose head is there.
    fn read(bytes: &[u8]) -> Result<Option<Self>, String> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "answered with no text")?;
        let status = head
            .get(9..12)
            .and_then(|text| text.parse().ok())
            .ok_or("answered without a status")?;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .ok_or("answered without a content-length")?;
        Ok(Some(Self {
            status,
            length: end + 4 + length,
        }))
    }
}
