//! The log lines that wait to be written. A thread writes them, so a slow or blocked reader of the
//! log delays no request.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// The maximum size of the lines that wait, in bytes. Further lines are lost. The thread may be
/// writing as much again.
const LIMIT: usize = 2 * 1024 * 1024;
/// The size of the memory that each of the two buffers keeps for further lines, in bytes.
const KEPT: usize = 128 * 1024;
/// The pause after each write, so that the lines of this time share the next one. Otherwise, almost
/// every line would wake the thread that writes.
const PAUSE: Duration = Duration::from_millis(10);

/// The log lines that wait to be written, in one buffer. A queue would be slower, because each line
/// in it is allocated by one thread and freed by another.
#[derive(Default)]
pub(super) struct Lines {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    text: Vec<u8>,
    /// The number of lines that were lost so far.
    lost: u64,
    /// Whether the thread waits for a line.
    is_waiting: bool,
    is_closed: bool,
    /// Whether the thread has ended.
    has_ended: bool,
}

impl Lines {
    /// Starts the thread that writes the lines.
    ///
    /// # Errors
    ///
    /// The system's error if it allows no further thread.
    pub(super) fn write_to(out: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let lines = Arc::<Self>::default();
        let waiting = Arc::clone(&lines);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || waiting.write_until_closed(out))?;
        Ok(lines)
    }

    /// The number of lines that were lost so far, because those before them were not written in
    /// time.
    pub(super) fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// Waits up to `timeout` until the lines so far are written. Later lines are not written.
    pub(super) fn close(&self, timeout: Duration) {
        let mut state = self.lock();
        state.is_closed = true;
        self.changed.notify_all();
        drop(self.changed.wait_timeout_while(state, timeout, |state| !state.has_ended));
    }

    fn write_until_closed(&self, mut out: impl Write) {
        let mut text = Vec::new();
        let mut is_closed = false;
        while !is_closed {
            let mut state = self.lock();
            state.is_waiting = true;
            let state = self.changed.wait_while(state, |it| it.text.is_empty() && !it.is_closed);
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            state.is_waiting = false;
            is_closed = state.is_closed;
            // What could not be written comes first.
            if text.is_empty() {
                mem::swap(&mut state.text, &mut text);
            } else if is_closed {
                text.append(&mut state.text);
            }
            drop(state);
            let written = write(&mut out, &text);
            text.drain(..written);
            text.shrink_to(KEPT);
            drop(self.changed.wait_timeout_while(self.lock(), PAUSE, |it| !it.is_closed));
        }
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes until the end or an error, and returns the number of bytes that were written.
fn write(out: &mut impl Write, text: &[u8]) -> usize {
    let mut written = 0;
    while written < text.len() {
        match out.write(&text[written..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A disk may have space again later.
            Ok(0) | Err(_) => break,
            Ok(bytes) => written += bytes,
        }
    }
    // What was not flushed is lost; standard error has nothing to flush.
    let _ = out.flush();
    written
}

/// Each write is a line.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if state.text.len() + line.len() > LIMIT {
            state.lost += 1;
            return Ok(line.len());
        }
        state.text.extend_from_slice(line);
        let wakes = mem::take(&mut state.is_waiting);
        drop(state);
        if wakes {
            self.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;

    const GIVE_UP_AFTER: Duration = Duration::from_secs(120);

    #[test]
    fn lines_are_written_in_order_and_before_the_end() {
        let (out, writes) = Out::new();
        let lines = Lines::write_to(out).unwrap();
        for number in 0..10_000 {
            (&*lines).write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        lines.close(GIVE_UP_AFTER);
        let written: Vec<u8> = writes.try_iter().flatten().collect();
        let expected: String = (0..10_000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
        assert_eq!(lines.lost(), 0);
    }

    #[test]
    fn a_line_has_ended_without_waiting_for_others() {
        let (out, writes) = Out::new();
        let lines = Lines::write_to(out).unwrap();
        for line in ["one\n", "two\n"] {
            (&*lines).write_all(line.as_bytes()).unwrap();
            assert_eq!(writes.recv_timeout(GIVE_UP_AFTER).unwrap(), line.as_bytes());
        }
    }

    #[test]
    fn a_blocked_reader_loses_lines_but_delays_nothing() {
        let (block, blocked) = mpsc::channel::<()>();
        let lines = Lines::write_to(Blocked(blocked)).unwrap();
        let line = [b'a'; 1024];
        // The thread may hold as many lines as wait.
        for _ in 0..3 * LIMIT / line.len() {
            (&*lines).write_all(&line).unwrap();
        }
        assert!(lines.lost() >= 1_024, "{}", lines.lost());
        assert!(lines.lock().text.len() <= LIMIT);
        lines.close(Duration::ZERO);
        assert!(!lines.lock().has_ended);
        drop(block);
        lines.close(GIVE_UP_AFTER);
        assert!(lines.lock().has_ended);
    }

    #[test]
    fn lines_that_could_not_be_written_are_written_later() {
        let (out, writes) = Out::new();
        let lines = Lines::write_to(FullDisk { out, space: 3 }).unwrap();
        (&*lines).write_all(b"one\ntwo\n").unwrap();
        assert_eq!(writes.recv_timeout(GIVE_UP_AFTER).unwrap(), b"one");
        (&*lines).write_all(b"three\n").unwrap();
        (&*lines).write_all(b"four\n").unwrap();
        lines.close(GIVE_UP_AFTER);
        let written: Vec<u8> = writes.try_iter().flatten().collect();
        assert_eq!(String::from_utf8(written).unwrap(), "\ntwo\nthree\nfour\n");
        assert_eq!(lines.lost(), 0);
    }

    /// Has space for some bytes, then fails once, then has space again.
    struct FullDisk {
        out: Out,
        space: usize,
    }

    impl Write for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.space == 0 {
                self.space = usize::MAX;
                return Err(io::ErrorKind::StorageFull.into());
            }
            let fits = bytes.len().min(self.space);
            self.space -= fits;
            self.out.write(&bytes[..fits])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Out(Sender<Vec<u8>>);

    impl Out {
        fn new() -> (Self, Receiver<Vec<u8>>) {
            let (sender, receiver) = mpsc::channel();
            (Self(sender), receiver)
        }
    }

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Blocks until the sender is dropped.
    struct Blocked(Receiver<()>);

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
