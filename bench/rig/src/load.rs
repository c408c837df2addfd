//! The load generator: keep-alive connections that send one request at a time.
//!
//! Unlike wrk, it needs no installation, uses a different user for each request without a script, and
//! fails if a response is not `200`. Its CPU cost is about that of wrk with one thread.

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

/// Longer than any response, even on a busy machine.
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

/// Number of connections and duration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// The result of a measurement.
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
    /// Distributes the load evenly over servers that use the database of `postmaster`.
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
    // Each connection uses a different order, which is the same in every run.
    let mut random = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    while shared.phase.get() != Phase::Over {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let request = &requests[(random % requests.len() as u64) as usize];
        let asked = Instant::now();
        match connection.ask(request).await? {
            200 => {}
            status => return Err(format!("responded with {status} instead of 200")),
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

    /// Sends a request, reads the complete response and returns its status.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<u16, String> {
        match self.stream.write_all(request).await {
            Ok(()) => {}
            Err(error) => return Err(format!("hung up: {error}")),
        }
        let mut filled = 0;
        loop {
            // Set a timer only if the read has to wait.
            let read = match self.stream.try_read(&mut self.buffer[filled..]) {
                Ok(read) => read,
                Err(_) => timeout(PATIENCE, self.stream.read(&mut self.buffer[filled..]))
                    .await
                    .map_err(|_| format!("did not respond within {} s", PATIENCE.as_secs()))?
                    .map_err(|error| format!("hung up: {error}"))?,
            };
            if read == 0 {
                return Err("disconnected before the response was complete".to_owned());
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
    /// The status and length of a response.
    fn read(bytes: &[u8]) -> Result<Option<Self>, String> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "answered with no text")?;
        let status = head
            .get(9..12)
            .and_then(|text| text.parse().ok())
            .ok_or("response without a status")?;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .ok_or("response without a content-length")?;
        Ok(Some(Self {
            status,
            length: end + 4 + length,
        }))
    }
}
