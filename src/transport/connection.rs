//! An open connection, whose reads a [`Stop`] can interrupt.

use super::absolute::AbsoluteForm;
use crate::stop::{Stop, Unfinished};
use crate::wipe::wipe;
use std::fmt;
use std::io;
use std::process;
use std::sync::Arc;
use std::time::Duration;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

/// Whether a waiting read keeps sleeping when its connection is closed. Elsewhere,
/// shutting down the socket wakes it, but not on Windows.
const READS_SLEEP_ON: bool = cfg!(windows);

/// Time limits from ten times this on are rounded up to a multiple of it. Otherwise each
/// call would have a slightly different one, and would have to set it on the socket.
const GRAIN: Duration = Duration::from_millis(100);

/// A connection that belongs to the process that created it. A forked child has it
/// too, but if both used it, they would get each other's responses.
pub(super) struct Connection {
    inner: Box<dyn Transport>,
    process: u32,
    stop: Arc<Stop>,
    reads_sleep_on: bool,
    absolute: Option<AbsoluteForm>,
    /// Whether bytes have arrived since the pool last asked whether the connection is open.
    has_received: bool,
}

impl Connection {
    pub(super) fn new(
        inner: Box<dyn Transport>,
        stop: Arc<Stop>,
        absolute: Option<AbsoluteForm>,
    ) -> Self {
        let reads_sleep_on = READS_SLEEP_ON;
        let process = process::id();
        Connection { inner, process, stop, reads_sleep_on, absolute, has_received: false }
    }

    fn transmit(&mut self, bytes: &[u8], timeout: NextTimeout) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let length = rest.len().min(output.len());
            let (part, after) = rest.split_at(length);
            output[..length].copy_from_slice(part);
            self.inner.transmit_output(length, timeout)?;
            rest = after;
        }
        Ok(())
    }

    /// Reads on its own thread, which a stop or the timeout abandons together with
    /// the connection. Repeated short reads are no alternative: Windows may lose
    /// data that arrives when a socket's timeout is reached.
    fn await_input_on_thread(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let mut inner = std::mem::replace(&mut self.inner, Box::new(Abandoned::default()));
        let read = move || {
            let result = inner.await_input(timeout);
            (inner, result)
        };
        let read = self.stop.result_of(*timeout.after, read);
        let (inner, result) = read.map_err(|why| unfinished(why, timeout))?;
        self.inner = inner;
        result
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = rounded_up(timeout);
        let head = &self.inner.buffers().output()[..amount];
        let rewritten = self.absolute.as_mut().and_then(|form| form.rewrite(head));
        let sent = match rewritten {
            Some(whole) => self.transmit(&whole, timeout),
            None => self.inner.transmit_output(amount, timeout),
        };
        // It contains the request's signature.
        wipe(&mut self.inner.buffers().output()[..amount]);
        sent
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.absolute.iter_mut().for_each(AbsoluteForm::response_started);
        let timeout = rounded_up(timeout);
        let has_received = if self.reads_sleep_on {
            self.await_input_on_thread(timeout)
        } else {
            self.inner.await_input(timeout)
        }?;
        self.has_received = has_received;
        Ok(has_received)
    }

    /// The pool asks after each response and again before the next request. Probing the
    /// socket takes three system calls, so only the second time does it; this also detects
    /// unsolicited bytes that arrived in between.
    fn is_open(&mut self) -> bool {
        if std::mem::take(&mut self.has_received) {
            return true;
        }
        self.process == process::id() && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// Rounds a long time limit up to a multiple of [`GRAIN`]. One that is too long to be a
/// number of grains, or infinite, stays as it is.
fn rounded_up(timeout: NextTimeout) -> NextTimeout {
    let exact = *timeout.after;
    match u32::try_from(exact.as_millis().div_ceil(GRAIN.as_millis())) {
        Ok(grains) if exact >= 10 * GRAIN => {
            NextTimeout { after: (GRAIN * grains).into(), ..timeout }
        }
        _ => timeout,
    }
}

/// Replaces a connection that is abandoned to the thread that reads from it.
#[derive(Debug)]
struct Abandoned(LazyBuffers);

impl Default for Abandoned {
    fn default() -> Self {
        Abandoned(LazyBuffers::new(1, 1))
    }
}

impl Transport for Abandoned {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.0
    }

    fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
        Err(Error::Io(io::ErrorKind::NotConnected.into()))
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        Err(Error::Io(io::ErrorKind::NotConnected.into()))
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

/// Describes why unfinished work has no result.
pub(super) fn unfinished(why: Unfinished, timeout: NextTimeout) -> Error {
    match why {
        Unfinished::Stopped => Error::Io(io::ErrorKind::NotConnected.into()),
        Unfinished::TimedOut => Error::Timeout(timeout.reason),
        Unfinished::NoThread(error) => Error::Io(error),
        Unfinished::Panicked(_) => Error::Io(io::Error::other("the worker thread panicked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::thread;
    use std::time::Duration;
    use ureq::unversioned::transport::time;

    /// A connection whose reads cannot be woken.
    #[derive(Debug)]
    struct Sleeper {
        buffers: LazyBuffers,
        arriving: Mutex<Receiver<Vec<u8>>>,
        is_open: bool,
    }

    impl Transport for Sleeper {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            let Ok(bytes) = self.arriving.lock().unwrap().recv() else { return Ok(false) };
            self.buffers.input_append_buf()[..bytes.len()].copy_from_slice(&bytes);
            self.buffers.input_appended(bytes.len());
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            self.is_open
        }
    }

    fn sleeper(stop: &Arc<Stop>) -> (Sender<Vec<u8>>, Connection) {
        let (sender, arriving) = mpsc::channel();
        let buffers = LazyBuffers::new(64, 64);
        let inner = Sleeper { buffers, arriving: Mutex::new(arriving), is_open: true };
        let connection = Connection::new(Box::new(inner), stop.clone(), None);
        (sender, Connection { reads_sleep_on: true, ..connection })
    }

    fn within(time: Duration) -> NextTimeout {
        let after = time::Duration::from(time);
        NextTimeout { after, reason: ureq::Timeout::Global, ..NextTimeout::default() }
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_sleeping_read_returns_data_that_arrives() {
        let (sender, mut connection) = sleeper(&Arc::default());
        for part in [b"first", b"again"] {
            sender.send(part.to_vec()).unwrap();
            assert!(connection.await_input(within(LONG)).unwrap());
            assert_eq!(connection.buffers().input(), part);
            connection.buffers().input_consume(part.len());
        }
        drop(sender);
        assert!(!connection.await_input(within(LONG)).unwrap());
        assert!(connection.is_open());
    }

    #[test]
    fn the_socket_is_probed_before_a_request_and_not_after_the_response() {
        let (sender, arriving) = mpsc::channel();
        let buffers = LazyBuffers::new(64, 64);
        let inner = Sleeper { buffers, arriving: Mutex::new(arriving), is_open: false };
        let mut connection = Connection::new(Box::new(inner), Arc::default(), None);
        for _ in 0..2 {
            sender.send(b"response".to_vec()).unwrap();
            assert!(connection.await_input(within(LONG)).unwrap());
            assert!(connection.is_open(), "the pool takes it");
            assert!(!connection.is_open(), "a request needs one that is open");
        }
        drop(sender);
        assert!(!connection.await_input(within(LONG)).unwrap());
        assert!(!connection.is_open(), "nothing was received");
    }

    #[test]
    fn long_time_limits_are_rounded_up_and_short_ones_are_exact() {
        for (exact, rounded) in
            [(1, 1), (999, 999), (1_000, 1_000), (1_001, 1_100), (29_999, 30_000), (30_000, 30_000)]
        {
            let timeout = rounded_up(within(Duration::from_millis(exact)));
            assert_eq!(timeout, within(Duration::from_millis(rounded)), "{exact}");
        }
        let never = NextTimeout { after: time::Duration::NotHappening, ..within(LONG) };
        assert_eq!(rounded_up(never), never);
        let ages = within(Duration::from_secs(u64::MAX - 1));
        assert_eq!(rounded_up(ages), ages);
    }

    #[test]
    fn a_stop_ends_a_sleeping_read_and_abandons_its_connection() {
        let stop = Arc::new(Stop::default());
        let (_sender, mut connection) = sleeper(&stop);
        let reader = thread::spawn(move || {
            let result = connection.await_input(within(LONG));
            (result, connection)
        });
        stop.stop();
        let (result, mut connection) = reader.join().unwrap();
        assert!(matches!(result, Err(Error::Io(_))), "{result:?}");
        assert!(!connection.is_open());
        assert!(connection.await_input(within(LONG)).is_err());
    }

    #[test]
    fn a_sleeping_read_ends_at_its_timeout() {
        let (_sender, mut connection) = sleeper(&Arc::default());
        let result = connection.await_input(within(Duration::from_millis(20)));
        assert!(matches!(result, Err(Error::Timeout(_))), "{result:?}");
        assert!(!connection.is_open());
    }
}
