//! One port for both protocols: the first byte of a connection distinguishes
//! RTMP from HTTP.

use crate::event::{Event, EventKind, Level};
use crate::front_ends::FrontEnds;
use crate::http::framing::{self, Inspected};
use crate::http::write_timeout::WriteTimeout;
use crate::limits::{ConnectionLimiter, ConnectionPermit};
use crate::publisher::{self, Context};
use crate::serve::{Application, Broken};
use crate::workers::Workers;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::net;
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// The version, the first byte of every RTMP handshake and of no HTTP method.
const RTMP_VERSION: u8 = 3;
/// How long in-flight requests may take when the endpoint stops.
const GRACE: Duration = Duration::from_secs(5);
/// How many threads serve the network.
const NETWORK_THREADS: usize = 2;
/// Publishers need little: their buffers are on the heap.
const STACK: usize = 512 * 1024;

/// A listening port, with a thread for each publisher and a small runtime for
/// HTTP. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    runtime: Option<Runtime>,
    workers: Arc<Workers>,
    stop: watch::Sender<bool>,
    publishers: Arc<Publishers>,
    stopping: Arc<AtomicBool>,
}

impl Listener {
    pub(crate) fn start(
        socket: TcpListener,
        front_ends: Arc<FrontEnds>,
        context: Context,
    ) -> io::Result<Self> {
        let address = socket.local_addr()?;
        socket.set_nonblocking(true)?;
        let workers = Arc::new(Workers::start()?);
        check_threads(NETWORK_THREADS)?;
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(NETWORK_THREADS)
            .thread_name("osslive-http")
            .enable_all()
            .build()?;
        let socket = {
            let _entered = runtime.enter();
            net::TcpListener::from_std(socket)?
        };
        let (stop, stopped) = watch::channel(false);
        let publishers = Arc::new(Publishers::default());
        let stopping = context.stopping.clone();
        let application = Arc::new(Application::new(front_ends, &context.limits, workers.clone()));
        let limiter = Arc::new(ConnectionLimiter::new(&context.limits));
        let publishing = publishers.clone();
        let serving = Serving { context, application, limiter, publishers: publishing, stopped };
        runtime.spawn(serving.accept(socket));
        Ok(Listener { address, runtime: Some(runtime), workers, stop, publishers, stopping })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Checks that the system can start this many threads: the runtime would panic
/// otherwise.
fn check_threads(count: usize) -> io::Result<()> {
    let start = |_| thread::Builder::new().spawn(thread::park);
    let started: Vec<_> = (0..count).map(start).collect();
    let mut all = Ok(());
    for thread in started {
        match thread {
            Ok(thread) => {
                thread.thread().unpark();
                let _ = thread.join();
            }
            Err(error) => all = Err(error),
        }
    }
    all
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.stopping.store(true, Ordering::Relaxed);
        self.publishers.cut();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(GRACE);
        }
        self.workers.stop(GRACE);
    }
}

#[derive(Clone)]
struct Serving {
    context: Context,
    application: Arc<Application>,
    limiter: Arc<ConnectionLimiter>,
    publishers: Arc<Publishers>,
    stopped: watch::Receiver<bool>,
}

impl Serving {
    async fn accept(mut self, socket: net::TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                _ = self.stopped.changed() => return,
            };
            match accepted {
                // Closed without a response: its protocol is not known yet.
                Ok((stream, remote)) => match self.limiter.take(remote.ip()) {
                    Some(permit) => drop(tokio::spawn(self.clone().serve(stream, remote, permit))),
                    None => self.reject(stream, remote),
                },
                // A connection that was closed early, or a temporary lack of
                // descriptors: neither is a reason to stop listening.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Closes a connection that exceeds the limit.
    fn reject(&self, stream: net::TcpStream, remote: SocketAddr) {
        drop(stream);
        let site = &self.context.site;
        site.events.record(Event {
            remote: Some(remote),
            message: Some("too many connections, in total or from this address".to_owned()),
            ..Event::new(site.clock.now(), Level::Warn, EventKind::Refusal)
        });
    }

    async fn serve(self, stream: net::TcpStream, remote: SocketAddr, permit: ConnectionPermit) {
        let mut first = [0];
        let peeked = timeout(self.context.limits.head, stream.peek(&mut first)).await;
        match peeked {
            Ok(Ok(1)) if first[0] == RTMP_VERSION => {
                // If this fails, the connection is gone, and there is no
                // client left to report it to.
                let _ = self.serve_rtmp(stream, remote, permit);
            }
            Ok(Ok(1)) => self.serve_http(stream, remote).await,
            _ => {}
        }
    }

    fn serve_rtmp(
        self,
        stream: net::TcpStream,
        remote: SocketAddr,
        permit: ConnectionPermit,
    ) -> io::Result<()> {
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        let Serving { context, publishers, .. } = self;
        publishers.spawn(stream, move |stream| {
            // The history and the log record how a publisher's connection
            // ended; errors here come from the network.
            let _ = publisher::serve(stream, remote, context);
            drop(permit);
        })
    }

    async fn serve_http(mut self, stream: net::TcpStream, remote: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let application = self.application;
        let controlled = self.context.site.control.as_ref().and_then(|_| duplicate(&stream));
        let limits = self.context.limits;
        let stream = Inspected::new(WriteTimeout::new(stream, &limits));
        let verdicts = stream.verdicts();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(remote);
            request.extensions_mut().insert(verdicts.clone());
            let application = application.clone();
            let controlled = controlled.clone();
            if let Some(socket) = &controlled {
                request.extensions_mut().insert(socket.clone());
            }
            async move {
                let result = application.handle(request).await;
                if let (Err(Broken { is_reset: true }), Some(socket)) = (&result, &controlled) {
                    let _ = SockRef::from(&**socket).set_linger(Some(Duration::ZERO));
                }
                result
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(framing::MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => {}
            _ = self.stopped.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(GRACE, connection).await;
            }
        }
    }
}

/// Returns another handle of a connection, through which fault rules act on it.
fn duplicate(stream: &net::TcpStream) -> Option<Arc<socket2::Socket>> {
    SockRef::from(stream).try_clone().ok().map(Arc::new)
}

/// The publishers' threads, and the sockets whose shutdown ends them.
#[derive(Debug, Default)]
struct Publishers(Mutex<Roster>);

#[derive(Debug, Default)]
struct Roster {
    next: u64,
    threads: HashMap<u64, (Arc<TcpStream>, JoinHandle<()>)>,
    stopped: bool,
}

impl Publishers {
    fn spawn(
        self: Arc<Self>,
        stream: TcpStream,
        serve: impl FnOnce(Arc<TcpStream>) + Send + 'static,
    ) -> io::Result<()> {
        // One descriptor, shared by the thread and `cut`.
        let stream = Arc::new(stream);
        let socket = stream.clone();
        // The roster stays locked until the thread is in it, so that a thread
        // that ends quickly finds its own entry.
        let mut roster = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if roster.stopped {
            return Ok(());
        }
        let number = roster.next;
        roster.next += 1;
        let publishers = self.clone();
        let thread = thread::Builder::new().name("osslive-rtmp".into()).stack_size(STACK).spawn(
            move || {
                let _leaving = Leaving { publishers, number };
                serve(stream);
            },
        )?;
        roster.threads.insert(number, (socket, thread));
        Ok(())
    }

    /// Disconnects every publisher and waits until their sessions are closed.
    fn cut(&self) {
        let threads = {
            let mut roster = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            roster.stopped = true;
            std::mem::take(&mut roster.threads)
        };
        for (socket, _) in threads.values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        for (_, thread) in threads.into_values() {
            let _ = thread.join();
        }
    }
}

/// Removes a thread from the roster when it ends, even if it panics.
struct Leaving {
    publishers: Arc<Publishers>,
    number: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut roster = self.publishers.0.lock().unwrap_or_else(PoisonError::into_inner);
        roster.threads.remove(&self.number);
    }
}
