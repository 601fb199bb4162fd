//! The threads that serve connections, by default one for each processor.
//!
//! Each thread has a runtime of its own, and a connection stays on its thread. If the threads
//! shared one runtime, they would wake each other for the requests that arrive, and take tasks from
//! each other. That cost up to a fifth of the throughput (docs/benchmarks/README.md).

use std::{
    convert::Infallible,
    io, net,
    num::NonZeroUsize,
    sync::{Arc, mpsc},
    thread,
};

use tokio::{
    net::TcpStream,
    runtime::{Builder, Handle},
    sync::oneshot,
    task::AbortHandle,
};

/// The threads that serve connections. When the last clone is dropped, they drop their tasks and
/// end; nothing waits for that.
#[derive(Clone)]
pub struct Workers(Arc<[Worker]>);

impl Workers {
    /// Starts this many threads.
    ///
    /// # Errors
    ///
    /// The system's error if it allows no further thread or file descriptor.
    pub fn start(count: NonZeroUsize) -> io::Result<Self> {
        (0..count.get()).map(|_| Worker::start()).collect::<io::Result<_>>().map(Self)
    }

    /// Starts no thread: the current runtime serves the connections.
    ///
    /// # Panics
    ///
    /// Outside a runtime of tokio.
    pub fn current() -> Self {
        Self([Worker::new(Handle::current(), None)].into())
    }

    /// The number of threads that may serve requests at the same time.
    pub fn threads(&self) -> usize {
        self.0.iter().map(|worker| worker.runtime.metrics().num_workers()).sum()
    }

    /// The worker with the fewest connections.
    pub fn least_busy(&self) -> &Worker {
        let worker = self.0.iter().min_by_key(|worker| Arc::strong_count(&worker.connections));
        // There is at least one.
        worker.unwrap_or(&self.0[0])
    }
}

/// A thread that serves connections.
pub struct Worker {
    runtime: Handle,
    /// Each connection has a reference.
    connections: Arc<()>,
    /// The thread ends when this is dropped.
    _running: Option<oneshot::Sender<Infallible>>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let (running, dropped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        thread::Builder::new().name("worker".to_owned()).spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(report.send(Err(error))),
            };
            let _ = report.send(Ok(runtime.handle().clone()));
            let _ = runtime.block_on(dropped);
            // Does not wait for threads that block, for example on a slow disk.
            runtime.shutdown_background();
        })?;
        let runtime = started.recv().map_err(io::Error::other)??;
        Ok(Self::new(runtime, Some(running)))
    }

    fn new(runtime: Handle, running: Option<oneshot::Sender<Infallible>>) -> Self {
        Self { runtime, connections: Arc::default(), _running: running }
    }

    /// Makes a stream for the tasks of this worker. The stream must not block.
    ///
    /// # Errors
    ///
    /// The system's error if the worker cannot be told when the stream is ready.
    pub fn stream(&self, stream: net::TcpStream) -> io::Result<TcpStream> {
        let _entered = self.runtime.enter();
        TcpStream::from_std(stream)
    }

    /// Counts a connection until the returned value is dropped.
    pub fn count_connection(&self) -> Counted {
        Counted(Arc::clone(&self.connections))
    }

    /// Runs a task on this worker.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(task).abort_handle()
    }
}

/// A connection that counts for its worker until this is dropped.
#[must_use]
pub struct Counted(#[expect(dead_code, reason = "the references are counted")] Arc<()>);

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        thread::ThreadId,
        time::{Duration, Instant},
    };

    use super::*;

    const GIVE_UP_AFTER: Duration = Duration::from_secs(120);

    #[test]
    fn a_connection_gets_the_thread_with_the_fewest() {
        let workers = Workers::start(NonZeroUsize::new(3).unwrap()).unwrap();
        assert_eq!(workers.threads(), 3);
        let (report, reports) = mpsc::channel::<ThreadId>();
        let connect = || {
            let (report, worker) = (report.clone(), workers.least_busy());
            let counted = worker.count_connection();
            let connection = worker.spawn(async move {
                report.send(thread::current().id()).unwrap();
                pending::<()>().await;
                drop(counted);
            });
            (reports.recv_timeout(GIVE_UP_AFTER).unwrap(), connection)
        };
        let connections: Vec<_> = (0..9).map(|_| connect()).collect();
        let (first, _) = connections[0];
        let served = |thread| connections.iter().filter(|(served, _)| *served == thread).count();
        assert!(connections.iter().all(|(thread, _)| served(*thread) == 3), "{connections:?}");
        // The connections of one thread end, and it gets the next three.
        let count = || Arc::strong_count(&workers.least_busy().connections);
        assert_eq!(count(), 4);
        for (_, connection) in connections.iter().filter(|(thread, _)| *thread == first) {
            connection.abort();
        }
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while count() > 1 {
            assert!(Instant::now() < deadline);
            thread::yield_now();
        }
        for _ in 0..3 {
            assert_eq!(connect().0, first);
        }
    }

    #[test]
    fn threads_drop_their_tasks_when_the_last_clone_is_dropped() {
        let workers = Workers::start(NonZeroUsize::MIN).unwrap();
        let (held, dropped) = mpsc::channel::<()>();
        workers.least_busy().spawn(async move {
            pending::<()>().await;
            drop(held);
        });
        let clone = workers.clone();
        drop(workers);
        assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(clone);
        let ended = dropped.recv_timeout(GIVE_UP_AFTER);
        assert_eq!(ended, Err(mpsc::RecvTimeoutError::Disconnected));
    }
}
