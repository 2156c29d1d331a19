//! The encoder and the player.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::{LONG, Program, Ran, newer_ffmpeg, run};

/// Returns a command that runs ffmpeg and prints only warnings.
pub fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-nostats", "-v", "warning"]);
    command
}

/// The old ffmpeg and a newer one, if installed: they warn about different things.
pub fn players() -> Vec<Command> {
    std::iter::once(ffmpeg()).chain(newer_ffmpeg("playing with a newer ffmpeg")).collect()
}

/// Creates a clip with ffmpeg, once; the same arguments give the same file.
pub fn clip(name: &str, arguments: &str) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clips");
    let digest = arguments
        .bytes()
        .fold(17u64, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte)));
    let file = folder.join(format!("{name}-{digest:016x}.flv"));
    let _one_at_a_time = MAKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !file.exists() {
        fs::create_dir_all(&folder).expect("a folder for clips");
        let draft = tempfile::NamedTempFile::new_in(&folder).expect("a file for the clip");
        let mut command = ffmpeg();
        // Input files are in the source tree.
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.args(arguments.split_whitespace()).args(["-f", "flv", "-y"]).arg(draft.path());
        run(&mut command, LONG).silent(name);
        draft.persist(&file).expect("the clip gets its name");
    }
    file
}

/// Publishes with ffmpeg, with these arguments before the output.
pub fn publish<'a>(arguments: impl IntoIterator<Item = &'a str>, url: &str) -> Program {
    let mut command = ffmpeg();
    command.args(arguments).args(["-flvflags", "no_duration_filesize", "-f", "flv", url]);
    Program::start(&mut command)
}

/// Publishes an unchanged clip with ffmpeg, in real time.
pub fn publish_clip(file: &Path, url: &str) -> Program {
    let file = file.to_str().expect("a path in UTF-8");
    publish(["-re", "-i", file, "-c", "copy"], url)
}

/// Returns the reason that ffmpeg prints when the endpoint rejects it.
pub fn refusal(ran: Ran) -> String {
    assert!(!ran.status.success(), "ffmpeg was not rejected: {}", ran.stderr);
    let reason = ran.stderr.lines().find_map(|line| line.split_once("Server error: "));
    match reason {
        Some((_, reason)) => reason.to_string(),
        None => panic!("ffmpeg printed no reason: {}", ran.stderr),
    }
}

/// Returns ffprobe's output for a URL: a line for each stream.
pub fn probe(url: &str) -> String {
    let mut command = Command::new("ffprobe");
    command.args(["-hide_banner", "-v", "warning", "-count_packets", "-of", "compact"]);
    command.args(["-show_entries", "stream"]).arg(url);
    let all = run(&mut command, LONG).silent("ffprobe");
    // HLS has programs too, under which ffprobe lists the same streams again.
    let streams: BTreeSet<_> = all.lines().filter(|line| line.starts_with("stream|")).collect();
    streams.into_iter().collect::<Vec<_>>().join("\n")
}

/// Returns the presentation times of a URL's pictures, in ticks of 90 kHz, from
/// ffprobe.
pub fn frame_times(url: &str) -> Vec<i64> {
    let mut command = Command::new("ffprobe");
    command.args(["-hide_banner", "-v", "warning", "-select_streams", "v:0", "-of", "csv=p=0"]);
    command.args(["-show_entries", "packet=pts"]).arg(url);
    let text = run(&mut command, LONG).silent("ffprobe");
    let times = text.lines().filter_map(|line| line.trim_matches(',').trim().parse().ok());
    times.collect()
}
