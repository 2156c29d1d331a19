//! A publisher's connection, on its own thread: bytes from the socket go into
//! the RTMP session, its media into the recorder, and its responses back.

mod report;

use crate::address::PublishTarget;
use crate::auth;
use crate::budget::{Budget, Share};
use crate::control::{AppliedRule, Control, Disconnect, RTMP_CONNECT, RTMP_PUBLISH};
use crate::fault::Fault;
use crate::limits::PeerLimits;
use crate::media::recorder::{Now, RecordError, Recorder, RecorderSettings};
use crate::rtmp::amf0::Value;
use crate::rtmp::{Event, Limits, ProtocolError, PublishRequest, Session};
use crate::site::Site;
use crate::store::{LiveSession, Publish};
use report::{Ending, Report};
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many bytes a client may send before it publishes: a few short commands.
const MAX_PRELUDE: usize = 256 * 1024;
/// How long a refused publisher has to read the reason before it is disconnected.
const LINGER: Duration = Duration::from_millis(500);
/// The polling interval while waiting, at which disabling the channel is noticed.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The maximum interval between updates of a stream's statistics.
const STAT_INTERVAL: Duration = Duration::from_millis(500);
/// How many bytes of media per second do not count as a pause.
const LEAST_RATE: u64 = 1000;

/// The state that all connections share.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) site: Arc<Site>,
    pub(crate) limits: PeerLimits,
    /// The memory budget of unfinished messages and media held back.
    pub(crate) messages: Budget,
    /// Whether the endpoint is stopping, which ends all waits.
    pub(crate) stopping: Arc<AtomicBool>,
}

impl Context {
    /// Slows down a publisher that uses far more disk space than it sends, by
    /// not reading from it for a while.
    fn hold_back(&self, live: &Recorder<LiveSession>) -> io::Result<()> {
        let until = Instant::now() + live.wait();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || live.sink().cut() {
                return Ok(());
            }
            if self.stopping.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            thread::sleep(left.min(POLL_INTERVAL));
        }
    }
}

/// Serves an RTMP connection until either side ends it.
pub(crate) fn serve(
    stream: Arc<TcpStream>,
    remote: SocketAddr,
    context: Context,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let session = Session::sharing(Limits::default(), context.messages.share());
    let started = Instant::now();
    let due = started + context.limits.handshake;
    let held = context.messages.share();
    let report = Report::new(context.site.clone(), remote);
    Connection {
        stream,
        remote,
        context,
        session,
        live: None,
        report,
        held,
        due,
        prelude: 0,
        started,
        cut_at: None,
    }
    .serve()
}

struct Connection {
    stream: Arc<TcpStream>,
    remote: SocketAddr,
    context: Context,
    session: Session,
    /// The recording of an accepted stream. Dropping it ends the session.
    live: Option<Recorder<LiveSession>>,
    report: Report,
    /// The recorder's share of the budget, for the media that it holds back.
    held: Share,
    /// The deadline for the client to publish or to send the next frame.
    due: Instant,
    /// Bytes received since it last published.
    prelude: usize,
    started: Instant,
    /// When a fault rule disconnects the publisher.
    cut_at: Option<Instant>,
}

/// A method of the recorder that takes a message: arrival, timestamp, body.
type Record = fn(&mut Recorder<LiveSession>, Now, u64, &[u8]) -> Result<(), RecordError>;

/// Whether to continue with a connection.
enum Next {
    Read,
    /// The publisher was refused and has been sent the reason.
    Refused,
}

impl Connection {
    fn serve(mut self) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        let served = self.run(&mut buffer);
        let is_cut = self.live.as_ref().is_some_and(|live| live.sink().cut());
        let why = match &served {
            _ if self.context.stopping.load(Ordering::Relaxed) => Ending::Stopped,
            _ if is_cut => Ending::Cut,
            Ok(Next::Refused) => Ending::Refused,
            Ok(Next::Read) => Ending::Closed,
            Err(error) => Ending::Failed(error),
        };
        if let Ending::Failed(error) = why {
            self.report.fail(error);
        }
        let ended = self.end(&why);
        if let Ok(Next::Refused) = served {
            return ended.and(self.linger(&mut buffer));
        }
        ended.and(served.map(drop))
    }

    /// Serves the client until one side ends it, without ending the session.
    fn run(&mut self, buffer: &mut [u8]) -> io::Result<Next> {
        self.disrupt(RTMP_CONNECT, "")?;
        loop {
            if self.cut_at.is_some_and(|cut| cut <= Instant::now()) {
                return Err(io::Error::other("disconnected by a fault rule"));
            }
            if self.live.as_ref().is_some_and(|live| live.sink().is_grace_period_over()) {
                return Ok(Next::Read);
            }
            let count = match self.read(buffer) {
                Ok(0) => return Ok(Next::Read),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_timeout(&error) && Instant::now() < self.due => {
                    self.update_stat();
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Media that arrived before a protocol error is recorded.
            let before = self.session.media_bytes();
            let fault = self.session.receive(&buffer[..count]).err();
            self.grant(self.session.media_bytes() - before);
            let next = self.handle_events();
            self.send()?;
            match (next?, fault) {
                (Next::Read, None) if self.live.is_some() => {
                    self.prelude = 0;
                    self.update_stat();
                }
                (Next::Read, None) => self.count_prelude(count)?,
                (Next::Read, Some(fault)) => return Err(io::Error::other(fault)),
                (Next::Refused, _) => return Ok(Next::Refused),
            }
        }
    }

    /// Waits for bytes until the client's deadline.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let due = self.cut_at.map_or(self.due, |cut| cut.min(self.due));
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // Statistics need updates even while nothing arrives.
        let wait = if self.live.is_some() { left.min(STAT_INTERVAL) } else { left };
        self.stream.set_read_timeout(Some(wait))?;
        (&*self.stream).read(buffer)
    }

    /// Extends the deadline for media that arrives slowly: a large frame on a slow
    /// network is not a pause, but a few bytes now and then are.
    fn grant(&mut self, media_bytes: u64) {
        if self.live.is_some() {
            let granted = self.due + Duration::from_millis(media_bytes * 1000 / LEAST_RATE);
            self.due = granted.min(Instant::now() + self.context.limits.pause).max(self.due);
        }
    }

    /// Sends the session's output. The client must read all of it in time:
    /// until then nothing is read from it, so that responses do not pile up.
    fn send(&mut self) -> io::Result<()> {
        let output = self.session.take_output();
        let until = Instant::now() + self.context.limits.pause;
        let mut rest = &output[..];
        while !rest.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_write_timeout(Some(left))?;
            match (&*self.stream).write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn count_prelude(&mut self, count: usize) -> io::Result<()> {
        self.prelude += count;
        if self.prelude <= MAX_PRELUDE {
            return Ok(());
        }
        Err(io::Error::other("too much data from the client before it publishes"))
    }

    fn handle_events(&mut self) -> io::Result<Next> {
        let limits = self.context.limits;
        while let Some(event) = self.session.next_event() {
            match event {
                Event::Publish(request) => {
                    if let Next::Refused = self.begin(&request)? {
                        return Ok(Next::Refused);
                    }
                }
                Event::Metadata(entries) => self.expect_tracks(&entries),
                Event::Video { timestamp, body } => {
                    if let Next::Refused = self.record(timestamp, &body, Recorder::video)? {
                        return Ok(Next::Refused);
                    }
                }
                Event::Audio { timestamp, body } => {
                    if let Next::Refused = self.record(timestamp, &body, Recorder::audio)? {
                        return Ok(Next::Refused);
                    }
                }
                // The connection stays open for the encoder to close: some
                // report an error if they find it closed.
                Event::Finished => {
                    self.end(&Ending::Finished)?;
                    self.due = Instant::now() + limits.handshake;
                }
            }
        }
        Ok(Next::Read)
    }

    /// Starts a session, or refuses it.
    fn begin(&mut self, request: &PublishRequest) -> io::Result<Next> {
        self.report.set_access_key(&request.stream);
        if let Some(applied) = self.disrupt_publisher(request)? {
            let rule = &*applied.rule;
            if let Some(code) = &rule.code {
                self.report.refuse_by_rule(&applied);
                let text = rule.message.as_deref().unwrap_or("Injected by a fault rule.");
                self.session.reject(code, text);
                return Ok(Next::Refused);
            }
            self.cut_at = rule.cut_after_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        }
        match self.publish(request) {
            Ok(live) => {
                self.report.publish();
                self.live = Some(live);
                self.session.accept();
                self.due = Instant::now() + self.context.limits.pause;
                Ok(Next::Read)
            }
            Err(fault) => {
                self.report.refuse(&fault);
                self.session.reject(status_code(&fault), &fault.to_string());
                Ok(Next::Refused)
            }
        }
    }

    /// Returns the fault rule for the publisher of a channel, after any delay that it
    /// requires.
    fn disrupt_publisher(&self, request: &PublishRequest) -> io::Result<Option<AppliedRule>> {
        let PublishRequest { tc_url, app, stream } = request;
        let addressing = &self.context.site.addressing;
        match PublishTarget::parse(tc_url, app, stream, addressing) {
            Ok(target) => self.disrupt(RTMP_PUBLISH, &target.channel),
            Err(_) => Ok(None),
        }
    }

    /// Waits as the fault rule for an operation requires, or ends the connection.
    fn disrupt(&self, operation: &str, key: &str) -> io::Result<Option<AppliedRule>> {
        let control = self.context.site.control.as_ref().filter(|control| !control.has_no_faults());
        let Some(control) = control else { return Ok(None) };
        let Some(applied) = control.apply(operation, key) else { return Ok(None) };
        let rule = &*applied.rule;
        if rule.disconnect == Some(Disconnect::Hang) {
            self.wait(control, &applied, None);
        } else if let Some(ms) = rule.latency_ms {
            self.wait(control, &applied, Some(Duration::from_millis(ms)));
        }
        if rule.disconnect == Some(Disconnect::Reset) {
            SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO))?;
        }
        match rule.disconnect {
            Some(_) => Err(io::Error::other(format!("fault rule {}", applied.id))),
            None => Ok(Some(applied)),
        }
    }

    /// Waits, at most until hanging connections are released.
    fn wait(&self, control: &Control, applied: &AppliedRule, time: Option<Duration>) {
        let due = time.map(|time| Instant::now() + time);
        let left =
            || due.map_or(POLL_INTERVAL, |due| due.saturating_duration_since(Instant::now()));
        while !control.is_released(applied)
            && !self.context.stopping.load(Ordering::Relaxed)
            && !left().is_zero()
        {
            thread::sleep(left().min(POLL_INTERVAL));
        }
    }

    fn publish(&mut self, request: &PublishRequest) -> Result<Recorder<LiveSession>, Fault> {
        let Site { store, clock, addressing, keys, .. } = &*self.context.site;
        let PublishRequest { tc_url, app, stream } = request;
        let target = PublishTarget::parse(tc_url, app, stream, addressing)?;
        self.report.set_target(&target.bucket, &target.channel);
        auth::authorize_publish(&target, store, keys, clock)?;
        let socket = self.stream.clone();
        let sink = store.publish(Publish {
            bucket: target.bucket,
            channel: target.channel,
            playlist_name: target.playlist_name,
            remote: self.remote,
            // The blocked read returns, and the thread ends the session.
            cut: Box::new(move || drop(socket.shutdown(Shutdown::Both))),
        })?;
        let settings = RecorderSettings {
            frag_duration: sink.frag_duration(),
            last_start_ms: sink.last_start_ms(),
            continues: sink.continues(),
        };
        Ok(Recorder::new(sink, settings))
    }

    fn expect_tracks(&mut self, metadata: &[(String, Value)]) {
        let Some(live) = &mut self.live else { return };
        let claims = |name: &str| metadata.iter().any(|(key, _)| key == name);
        let (video, audio) = (claims("videocodecid"), claims("audiocodecid"));
        // Some encoders announce one track after the other, so a missing field
        // proves little; but metadata with audio and no width means no video.
        let no_video = audio && !claims("width");
        live.expect_tracks(
            if video { Some(true) } else { no_video.then_some(false) },
            audio.then_some(true),
        );
    }

    fn record(&mut self, timestamp: u64, body: &[u8], record: Record) -> io::Result<Next> {
        let now = Now { unix_ms: self.context.site.clock.unix_ms(), uptime_ms: self.uptime_ms() };
        let Some(live) = &mut self.live else { return Ok(Next::Read) };
        let recorded = record(live, now, timestamp, body);
        for notice in live.take_notices() {
            self.report.notice(notice);
        }
        let fault = match recorded {
            Ok(()) => {
                self.context.hold_back(live)?;
                self.due = Instant::now() + self.context.limits.pause;
                if !self.held.resize(live.held()) {
                    return Err(io::Error::other(ProtocolError::NoRoom));
                }
                return Ok(Next::Read);
            }
            Err(_) if live.sink().cut() => {
                Fault::new(409, "LiveChannelDisabled", "Live channel is disabled by owner.")
            }
            Err(RecordError::Unsupported(codec)) => {
                live.sink().refuse();
                let message = RecordError::Unsupported(codec).to_string();
                Fault::new(400, "InvalidArgument", message)
            }
            Err(RecordError::Unusable(why)) => {
                live.sink().refuse();
                Fault::new(400, "InvalidArgument", why)
            }
            Err(RecordError::Io(error)) => {
                Fault::new(500, "InternalError", format!("The recording failed: {error}."))
            }
        };
        self.report.refuse(&fault);
        self.session.reject(status_code(&fault), &fault.to_string());
        Ok(Next::Refused)
    }

    fn uptime_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn update_stat(&self) {
        if let Some(live) = &self.live {
            live.sink().update(live.stat(self.uptime_ms()));
        }
    }

    /// Ends the session, if any, with its last fragment.
    fn end(&mut self, why: &Ending<'_>) -> io::Result<()> {
        let Some(mut live) = self.live.take() else { return Ok(()) };
        let finished = live.finish();
        for notice in live.take_notices() {
            self.report.notice(notice);
        }
        match &finished {
            Err(error) if !live.sink().cut() => {
                self.report.end(&Ending::Unwritten(error), live.dropped());
            }
            _ => self.report.end(why, live.dropped()),
        }
        // Shrinking always succeeds.
        let _ = self.held.resize(0);
        finished?;
        // Many short sessions must not cost more than one long session.
        self.context.hold_back(&live)
    }

    /// Gives the publisher time to read the reason: closing at once, with unread
    /// bytes, would reset the connection and lose the response.
    fn linger(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let until = Instant::now() + LINGER;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.stream.set_read_timeout(Some(left))?;
            match (&*self.stream).read(buffer) {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Returns the status code with which an encoder is refused; those of the
/// service are not documented.
fn status_code(fault: &Fault) -> &'static str {
    match fault.status {
        403 => "NetStream.Publish.Unauthorized",
        500..=599 => "NetStream.Publish.Failed",
        _ => "NetStream.Publish.BadName",
    }
}
