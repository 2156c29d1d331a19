//! The source of the demo's video: ffmpeg's test pattern, or the clip that ships
//! with osslive.

use crate::clip::Clip;
use std::env;
use std::error::Error;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) enum Source {
    Ffmpeg(PathBuf),
    Clip,
}

impl Source {
    /// Returns ffmpeg if it is installed and can encode H.264, otherwise the clip.
    pub(crate) fn find() -> Self {
        let name = format!("ffmpeg{}", env::consts::EXE_SUFFIX);
        let folders = env::var_os("PATH").unwrap_or_default();
        let found = env::split_paths(&folders).map(|folder| folder.join(&name)).find(|path| {
            let encoders = Command::new(path).args(["-hide_banner", "-encoders"]).output();
            encoders.is_ok_and(|found| String::from_utf8_lossy(&found.stdout).contains("libx264"))
        });
        found.map_or(Source::Clip, Source::Ffmpeg)
    }

    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Source::Ffmpeg(_) => "ffmpeg's test pattern",
            Source::Clip => "the included clip (ffmpeg is not used)",
        }
    }

    /// Returns the size of its video.
    pub(crate) fn size(&self) -> (u32, u32) {
        match self {
            Source::Ffmpeg(_) => (1280, 720),
            Source::Clip => (320, 180),
        }
    }

    /// Starts publishing in real time.
    pub(crate) fn publish(
        &self,
        url: &str,
        length: Duration,
    ) -> Result<Publishing, Box<dyn Error>> {
        match self {
            Source::Ffmpeg(program) => ffmpeg(program, url, length).map(Publishing::Ffmpeg),
            Source::Clip => Ok(Publishing::Clip(Clip::push(url.to_owned(), length))),
        }
    }
}

/// Both inputs in real time, with a key frame every second.
fn ffmpeg(program: &PathBuf, url: &str, length: Duration) -> Result<Child, Box<dyn Error>> {
    let length = length.as_secs().to_string();
    let child = Command::new(program)
        .args(["-nostdin", "-hide_banner", "-loglevel", "error"])
        .args(["-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"])
        .args(["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"])
        .args(["-t", &length, "-c:v", "libx264", "-preset", "ultrafast", "-g", "30"])
        .args(["-pix_fmt", "yuv420p", "-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M"])
        .args(["-c:a", "aac", "-b:a", "96k", "-flvflags", "no_duration_filesize"])
        .args(["-f", "flv", url])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok(child)
}

/// A running publisher. Dropping it ends it.
pub(crate) enum Publishing {
    Ffmpeg(Child),
    Clip(Clip),
}

impl Publishing {
    /// Returns an error if the publisher has ended.
    pub(crate) fn check(&mut self) -> Result<(), Box<dyn Error>> {
        match self {
            Publishing::Ffmpeg(child) => match child.try_wait()? {
                None => Ok(()),
                Some(_) => Err(format!("the publisher exited: {}", words(child)).into()),
            },
            Publishing::Clip(clip) if !clip.is_done() => Ok(()),
            Publishing::Clip(clip) => Err(match clip.end() {
                Ok(()) => "the clip ended".into(),
                Err(error) => error.into(),
            }),
        }
    }

    /// Waits until everything is published.
    pub(crate) fn wait(mut self) -> Result<(), Box<dyn Error>> {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            match &mut self {
                Publishing::Ffmpeg(child) => match child.try_wait()? {
                    Some(status) if status.success() => return Ok(()),
                    Some(status) => return Err(format!("{status}: {}", words(child)).into()),
                    None => {}
                },
                Publishing::Clip(clip) if clip.is_done() => return Ok(clip.end()?),
                Publishing::Clip(_) => {}
            }
            if Instant::now() > until {
                return Err("the publisher did not exit".into());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        match self {
            Publishing::Ffmpeg(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
            Publishing::Clip(clip) => clip.stop(),
        }
    }
}

/// Returns ffmpeg's output from before it ended.
fn words(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = stderr.take(4096).read_to_string(&mut text);
    }
    text.trim().replace('\n', "; ")
}
