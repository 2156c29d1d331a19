//! Converts a transport stream to an MP4 file with ffmpeg.

use crate::failure::{Exit, Failure, Outcome};
use crate::session::Session;
use osslive::StopHandle;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// How often to check whether ffmpeg has exited.
const INTERVAL: Duration = Duration::from_millis(50);

/// Returns whether a file's name ends in `.mp4`.
pub(super) fn is_wanted(output: &Path) -> bool {
    output.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("mp4"))
}

/// A conversion whose requirements are met.
pub(super) struct Conversion {
    output: PathBuf,
    /// The stream, next to the file.
    stream: PathBuf,
    part: PathBuf,
}

impl Conversion {
    /// Checks everything in advance: a download may take hours.
    pub(super) fn to(output: &Path, force: bool) -> Outcome<Self> {
        if !force && output.exists() {
            return Err(Failure::file(output, io::ErrorKind::AlreadyExists.into()));
        }
        let version = Command::new("ffmpeg").arg("-version").stdin(Stdio::null()).output();
        if !version.is_ok_and(|version| version.status.success()) {
            let output = output.display();
            return Err(Failure::Message(
                Exit::Failure,
                format!(
                    "{output}: MP4 needs ffmpeg, which is not installed; use a name that ends in \
                     .ts instead"
                ),
            ));
        }
        let beside = |suffix: &str| {
            let mut name = OsString::from(output);
            name.push(suffix);
            PathBuf::from(name)
        };
        let conversion = Conversion {
            output: output.to_owned(),
            stream: beside(".ts"),
            part: beside(".converting"),
        };
        if force && conversion.has_stream() {
            fs::remove_file(&conversion.stream)
                .map_err(|error| Failure::file(&conversion.stream, error))?;
        }
        Ok(conversion)
    }

    pub(super) fn stream(&self) -> &Path {
        &self.stream
    }

    /// Returns whether an earlier download is complete.
    pub(super) fn has_stream(&self) -> bool {
        self.stream.exists()
    }

    /// Converts the stream without transcoding, and deletes it.
    pub(super) fn run(&self, stop: &StopHandle, session: &Session) -> Outcome {
        let bar = session.progress.working("converting to MP4");
        let result = self.convert(stop);
        bar.finish_and_clear();
        if let Err(fault) = result {
            // An incomplete file is useless.
            let _ = fs::remove_file(&self.part);
            let stream = self.stream.display();
            let message = format!("{fault}; the download is kept as {stream}");
            return Err(Failure::Message(Exit::Failure, message));
        }
        fs::rename(&self.part, &self.output).map_err(|error| Failure::file(&self.output, error))?;
        fs::remove_file(&self.stream).map_err(|error| Failure::file(&self.stream, error))
    }

    fn convert(&self, stop: &StopHandle) -> Result<(), String> {
        let mut ffmpeg = Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-fflags", "+genpts"])
            .args(["-f", "mpegts", "-i"])
            .arg(file_url(&self.stream))
            .args(["-map", "0", "-c", "copy", "-movflags", "+faststart", "-f", "mp4"])
            .arg(file_url(&self.part))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("could not start ffmpeg: {error}"))?;
        let errors = ffmpeg.stderr.take();
        let errors = thread::spawn(move || {
            let mut text = Vec::new();
            // Longer output is cut.
            errors.map(|errors| errors.take(4096).read_to_end(&mut text));
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        let status = wait(&mut ffmpeg, stop)?;
        let errors = errors.join().unwrap_or_default();
        match status {
            true => Ok(()),
            false => Err(format!(
                "ffmpeg failed: {}",
                errors.lines().last().unwrap_or("no error message")
            )),
        }
    }
}

/// Returns a path that ffmpeg cannot mistake for an option or a protocol.
fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// Waits for a program to end, and kills it when the work is stopped.
fn wait(program: &mut Child, stop: &StopHandle) -> Result<bool, String> {
    loop {
        match program.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) => {}
            Err(error) => return Err(format!("could not wait for ffmpeg: {error}")),
        }
        if stop.is_stopped() {
            let _ = program.kill();
            let _ = program.wait();
            return Err("the conversion was stopped".to_owned());
        }
        thread::sleep(INTERVAL);
    }
}
