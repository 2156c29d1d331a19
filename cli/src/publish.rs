//! `osslive publish`: publishes an FLV file or pipe in real time.

use crate::failure::{Exit, Failure, Outcome};
use crate::output::say;
use crate::session::Session;
use crate::signal::Ending;
use crate::text::{self, parse_positive_duration};
use clap::Args;
use osslive::{ErrorKind, RtmpUrlOptions, StreamState, code};
use osslive_local::media::flv::{Reader, Tag, TagKind};
use osslive_local::media::pacer::Pacer;
use osslive_local::push::Publisher;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const HELP: &str = "\
Video must be H.264 and audio AAC. Frames are sent in real time, as an encoder
would send them. Ctrl-C ends the stream cleanly.

Examples:
  osslive publish clip.flv main-stage
  osslive publish clip.flv main-stage --repeat --for 10m
  ffmpeg -i talk.mp4 -c copy -f flv - | osslive publish - main-stage";

/// The time limit for the server to accept a stream, and for each write.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The interval at which the server's messages and Ctrl-C are checked.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The lifetime of the URL, which is used at once.
const EXPIRES: u32 = 600;
/// The number of tags to read ahead.
const AHEAD: usize = 64;

#[derive(Args)]
pub(crate) struct Arguments {
    /// FLV file; - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Channel id
    #[arg(value_name = "CHANNEL")]
    id: String,
    /// Loop the file
    #[arg(long)]
    repeat: bool,
    /// Stop after this time
    #[arg(long = "for", value_name = "TIME", value_parser = parse_positive_duration)]
    length: Option<Duration>,
    /// Live playlist of this session [default: the channel's]
    #[arg(long, value_name = "NAME.m3u8")]
    playlist: Option<String>,
}

/// The result of publishing.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    channel: String,
    seconds: f64,
    messages: u64,
    bytes: u64,
    /// Whether it was ended with Ctrl-C.
    interrupted: bool,
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Outcome {
    let source = Source::open(&arguments.file, arguments.repeat)?;
    check(&arguments.id, session)?;
    let mut options = RtmpUrlOptions::new().expires(EXPIRES);
    if let Some(name) = &arguments.playlist {
        options = options.playlist_name(name);
    }
    let url = session.client.get_rtmp_url(&arguments.id, &options)?;
    if session.verbose {
        say(&format!("publishing to {}", url.split('?').next().unwrap_or_default()));
    }
    let ending = Ending::watch().map_err(|error| Failure::Other(error.into()))?;
    let publisher = Publisher::connect(&url, TIMEOUT)?;
    let progress = session.progress.bytes(source.length);
    let mut stream = Stream {
        publisher,
        ending,
        progress,
        limit: arguments.length,
        pacer: Pacer::default(),
        started: Instant::now(),
        done: Published { channel: arguments.id, ..Published::default() },
    };
    let outcome = stream.send_all(&source.read(), &arguments.file);
    stream.progress.finish_and_clear();
    outcome?;
    let Stream { publisher, done, .. } = stream;
    publisher.finish()?;
    if done.messages == 0 && !done.interrupted {
        return Err(Failure::usage("the file contains neither video nor audio"));
    }
    session.output.show(&done, |out| {
        let length = text::length(time::Duration::saturating_seconds_f64(done.seconds.round()));
        writeln!(
            out,
            "published {length} ({}) to {}",
            text::size(done.bytes),
            text::clean(&done.channel)
        )
    });
    Ok(())
}

/// Explains in advance why the server would reject the publisher. Credentials that
/// may publish but not read the status are not affected.
fn check(id: &str, session: &Session) -> Outcome {
    let status = match session.client.get_channel_status(id) {
        Ok(status) => status,
        Err(error)
            if error.kind() == ErrorKind::Service
                && error.code() != Some(code::NO_SUCH_LIVE_CHANNEL) =>
        {
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    match status.status {
        StreamState::Idle => Ok(()),
        StreamState::Disabled => Err(Failure::Message(
            Exit::NotAllowed,
            format!("the channel is disabled: enable it with `osslive channel enable {id}`"),
        )),
        StreamState::Live => {
            let from = status.remote_addr.map(|address| format!(", from {address}"));
            let message = format!("the channel is already live{}", from.unwrap_or_default());
            Err(Failure::Message(Exit::Conflict, message))
        }
    }
}

/// A stream in progress.
struct Stream {
    publisher: Publisher,
    ending: Ending,
    progress: indicatif::ProgressBar,
    limit: Option<Duration>,
    pacer: Pacer,
    started: Instant,
    done: Published,
}

impl Stream {
    fn send_all(&mut self, tags: &Receiver<io::Result<Tag>>, path: &Path) -> Outcome {
        loop {
            match tags.recv_timeout(POLL_INTERVAL) {
                Ok(tag) => {
                    if !self.send(&tag.map_err(|error| Failure::file(path, error))?)? {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.publisher.poll()?;
                    if self.is_ending(Duration::ZERO) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Sends a tag when it is due; `false` when the stream should end.
    fn send(&mut self, tag: &Tag) -> Outcome<bool> {
        let due = self.pacer.due(tag);
        if self.limit.is_some_and(|limit| due >= limit) {
            return Ok(false);
        }
        loop {
            let left = due.saturating_sub(self.started.elapsed());
            if self.is_ending(left.min(POLL_INTERVAL)) {
                return Ok(false);
            }
            if left <= POLL_INTERVAL {
                break;
            }
            self.publisher.poll()?;
        }
        // Timestamps wrap on the wire, as RTMP requires.
        self.publisher.send(tag.kind, due.as_millis() as u32, &tag.body)?;
        self.done.seconds = self.pacer.end().as_secs_f64();
        self.done.messages += u64::from(tag.kind != TagKind::Script);
        self.done.bytes += tag.body.len() as u64;
        self.show(tag.end);
        Ok(true)
    }

    fn is_ending(&mut self, wait: Duration) -> bool {
        self.done.interrupted = self.ending.wait(wait);
        self.done.interrupted
    }

    fn show(&self, position: u64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = if seconds > 1.0 { self.done.bytes as f64 / seconds } else { 0.0 };
        self.progress.set_position(position);
        self.progress.set_message(format!(
            "{} {}",
            text::length(time::Duration::saturating_seconds_f64(self.done.seconds)),
            text::bit_rate(rate as u64)
        ));
    }
}

/// The source of the tags.
struct Source {
    file: Option<File>,
    repeat: bool,
    /// The total number of bytes, if known.
    length: Option<u64>,
}

impl Source {
    fn open(path: &Path, repeat: bool) -> Outcome<Self> {
        if path == Path::new("-") {
            if repeat {
                return Err(Failure::usage("stdin cannot be looped"));
            }
            return Ok(Source { file: None, repeat, length: None });
        }
        let failure = |error| Failure::file(path, error);
        let file = File::open(path).map_err(failure)?;
        let metadata = file.metadata().map_err(failure)?;
        // A file that is not FLV is an error before anything is sent.
        if metadata.is_file() {
            Reader::new(BufReader::new(&file)).map_err(failure)?;
            (&file).rewind().map_err(failure)?;
        }
        let length = Some(metadata.len()).filter(|_| metadata.is_file() && !repeat);
        Ok(Source { file: Some(file), repeat, length })
    }

    /// Reads on a separate thread, a few tags ahead: a pipe may be silent for a
    /// while, during which messages from the server are still handled.
    fn read(self) -> Receiver<io::Result<Tag>> {
        let (send, receive) = sync_channel(AHEAD);
        thread::spawn(move || {
            let done = match self.file {
                Some(file) => read_file(&file, self.repeat, &send),
                None => read_tags(io::stdin().lock(), &send),
            };
            if let Err(error) = done {
                let _ = send.send(Err(error));
            }
        });
        receive
    }
}

fn read_file(mut file: &File, repeat: bool, to: &SyncSender<io::Result<Tag>>) -> io::Result<()> {
    loop {
        read_tags(BufReader::new(file), to)?;
        if !repeat {
            return Ok(());
        }
        file.rewind()?;
    }
}

/// Reads to the end, or until nobody receives the tags anymore.
fn read_tags(source: impl Read, to: &SyncSender<io::Result<Tag>>) -> io::Result<()> {
    for tag in Reader::new(source)? {
        if to.send(Ok(tag?)).is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
    Ok(())
}
