//! Captures the log of a test at level TRACE.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// The events of this thread since [`CapturedLog::start`].
#[derive(Clone, Debug, Default)]
pub struct CapturedLog {
    text: Arc<Mutex<Vec<u8>>>,
}

/// Keeps all events of the process enabled.
///
/// tracing caches whether a call site is enabled. An event that another thread reaches first would
/// stay disabled.
pub(crate) fn keep_events_alive() {
    // It is no default. Its existence is enough.
    static WANTS_ALL: OnceLock<Dispatch> = OnceLock::new();
    WANTS_ALL.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
}

impl CapturedLog {
    /// Captures the log of this thread while the guard lives. It needs a single-threaded runtime.
    pub fn start() -> (Self, DefaultGuard) {
        keep_events_alive();
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The log so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// Takes the log so far and continues with an empty one.
    pub fn take(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.text.lock().unwrap())).into_owned()
    }
}

impl Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for CapturedLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
