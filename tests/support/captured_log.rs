//! Everything that is logged while a test runs, down to TRACE.

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

/// Keeps every event of the process alive.
///
/// Whether anybody wants an event is asked once, where it happens first; an event that another thread reaches before this
/// one has begun to listen would be lost to it for good.
pub(crate) fn keep_events_alive() {
    // Nobody's default: that it exists is enough for it to be asked.
    static WANTS_ALL: OnceLock<Dispatch> = OnceLock::new();
    WANTS_ALL.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
}

impl CapturedLog {
    /// Captures what this thread logs as long as the guard lives. Use it on a runtime of one thread.
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

    /// What was logged so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// Takes what was logged so far and starts anew.
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
