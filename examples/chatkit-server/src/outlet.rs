//! Standard output and standard error, written without ever holding up a request.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// So many lines wait to be written before some are left out.
const CAPACITY: usize = 4096;

/// Writes from a thread of its own; clones write to the same place.
///
/// A pipe that nobody reads takes 64 KiB and then holds whoever writes into it, for good. That may
/// stop the console, not the server.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    queue: SyncSender<Message>,
    left_out: Arc<AtomicUsize>,
}

enum Message {
    Text(Vec<u8>),
    /// Tells the sender that everything before it is written.
    Flush(SyncSender<()>),
}

impl Outlet {
    pub(crate) fn new(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, messages) = sync_channel(CAPACITY);
        let left_out = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&left_out);
        thread::Builder::new()
            .name("outlet".to_owned())
            .spawn(move || drain(sink, &messages, &counter))?;
        Ok(Self { queue, left_out })
    }

    pub(crate) fn line(&self, line: &str) {
        self.text(format!("{line}\n").into_bytes());
    }

    fn text(&self, text: Vec<u8>) {
        if self.queue.try_send(Message::Text(text)).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything is written, but not for long.
    pub(crate) fn flush(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let (done, written) = sync_channel(1);
        let mut message = Message::Flush(done);
        while let Err(TrySendError::Full(again)) = self.queue.try_send(message) {
            if Instant::now() >= deadline {
                return;
            }
            message = again;
            thread::sleep(Duration::from_millis(5));
        }
        let _ = written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

/// One event of the log is one write.
impl Write for Outlet {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.text(text.to_vec());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn drain(mut sink: impl Write, messages: &Receiver<Message>, left_out: &AtomicUsize) {
    // Where the sink is gone there is nobody to tell.
    for message in messages {
        match message {
            Message::Text(text) => {
                let _ = sink.write_all(&text).and_then(|()| sink.flush());
            }
            Message::Flush(done) => {
                let _ = done.try_send(());
            }
        }
        let left_out = left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            let note = format!("({left_out} lines are left out: nobody reads them)\n");
            let _ = sink.write_all(note.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// A pipe that is full until the test reads it.
    struct Stuck {
        reader: Receiver<()>,
        written: std::sync::mpsc::Sender<String>,
    }

    impl Write for Stuck {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let _ = self.reader.recv();
            let _ = self
                .written
                .send(String::from_utf8_lossy(text).into_owned());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_up_nobody() {
        let (read, reader) = channel();
        let (written, lines) = channel();
        let outlet = Outlet::new(Stuck { reader, written }).unwrap();
        for line in 0..CAPACITY + 100 {
            outlet.line(&line.to_string());
        }
        outlet.flush(Duration::from_millis(20));

        drop(read);
        outlet.flush(Duration::from_secs(10));
        let lines: Vec<String> = lines.try_iter().collect();
        let (notes, lines): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line.contains("left out"));
        assert_eq!(notes.len(), 1, "{notes:?}");
        let expected: Vec<String> = (0..lines.len()).map(|line| format!("{line}\n")).collect();
        assert!(lines.iter().copied().eq(&expected));
        assert!(lines.len() >= CAPACITY, "{}", lines.len());
    }
}
