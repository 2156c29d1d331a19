//! The endpoint's web page in a real browser, with a real encoder: headless
//! Chromium, driven by `tests/real/page.cjs`.
//!
//! Without Chromium, its driver or ffmpeg, this is reported as skipped; with `CI`
//! set, it fails. `tests/real/setup.sh` installs them.

mod support;

use osslive::ChannelConfig;
use std::thread;
use std::time::{Duration, Instant};
use support::{
    BUCKET, Browser, Channel, Endpoint, Folder, LONG, Program, Ran, bare, clip, despite_crashes,
    get, has_ffmpeg, publish, run,
};

/// A channel id that is markup, and its description.
const HOSTILE: &str = "<img src=x onerror=alert(1)>";
const HOSTILE_DESCRIPTION: &str = "<script>alert(2)</script><b onclick=alert(3)>bold</b>";

const CLIP: &str = "-f lavfi -i testsrc2=size=SIZE:rate=30 -f lavfi -i \
                    sine=frequency=440:sample_rate=44100 -t 8 -c:v libx264 -preset ultrafast \
                    -g 30 -pix_fmt yuv420p -c:a aac";

#[test]
fn the_page_plays_live_streams_and_does_not_use_names_as_markup() {
    let Some(browser) = Stage::browser("the page in a browser") else { return };
    let seen = despite_crashes(|| plays_what_is_published(&Stage::set(&browser)));
    let checks = done(seen).lines().filter(|line| line.starts_with("ok ")).count();
    assert!(checks >= 50, "most checks never ran: {checks}");
}

fn plays_what_is_published(stage: &Stage) -> Ran {
    let hostile = ChannelConfig::new("").description(HOSTILE_DESCRIPTION);
    stage.endpoint.client().put_channel(HOSTILE, &hostile).expect("a new channel");
    let channel = stage.channel();
    let mut encoder = endless("page", "640x360", &["-c", "copy"], &channel);
    channel.wait_live(Some((640, 360, 30)), Some(44_100));
    // Each check creates the VOD playlist that the page will find.
    channel.wait_fragments(3);

    let hostile = "%3Cimg%20src=x%20onerror=alert(4)%3E";
    assert_eq!(get(&format!("{}/{BUCKET}/{hostile}", stage.endpoint.url)).0, 403);

    let script = stage.play(&mut encoder, &[]);
    encoder.kill();
    script.end(LONG)
}

#[test]
fn the_page_plays_a_publisher_that_reconnects_at_once_with_another_size() {
    let Some(browser) = Stage::browser("the page and a second publisher") else { return };
    let seen = despite_crashes(|| plays_a_second_publisher(&Stage::set(&browser)));
    assert!(done(seen).contains("ok it plays at its new size"));
}

fn plays_a_second_publisher(stage: &Stage) -> Ran {
    let channel = stage.channel();
    // Without audio: with it, Chromium's own player continues by itself.
    let silent = ["-c", "copy", "-an"];
    let mut first = endless("page", "640x360", &silent, &channel);
    channel.wait_fragments(3);
    let script = stage.play(&mut first, &["again"]);
    first.kill();
    channel.wait_idle();
    let _second = endless("page-again", "960x540", &silent, &channel);
    script.end(LONG)
}

/// An endpoint and a browser.
struct Stage<'a> {
    browser: &'a Browser,
    endpoint: Endpoint,
    folder: Folder,
}

impl Stage<'_> {
    /// `None` where something is missing, which is reported.
    fn browser(what: &str) -> Option<Browser> {
        Browser::find(what).filter(|_| has_ffmpeg(what))
    }

    fn set(browser: &Browser) -> Stage<'_> {
        let folder = Folder::new("page");
        let hls_js = browser.hls_js();
        let hls_js = hls_js.to_str().expect("a path in UTF-8");
        let endpoint =
            Endpoint::start_with(&folder.path().join("data"), &["--control", "--hls-js", hls_js]);
        let mut order = bare(folder.path(), "control fault add GetBucketStat --status 500");
        run(order.env("OSSLIVE_LOCAL_URL", &endpoint.url), LONG).silent("a fault");
        Stage { browser, endpoint, folder }
    }

    fn channel(&self) -> Channel {
        Channel::create(&self.endpoint.client(), "main-stage")
    }

    /// Starts the script, and waits until it has seen enough of the stream or
    /// exited.
    fn play(&self, encoder: &mut Program, arguments: &[&str]) -> Program {
        let played = self.folder.path().join("played");
        let mut script = self.browser.command("page.cjs");
        script.args(arguments).env("PLAYED", &played).env("CHANNEL", "main-stage");
        script.env("PAGE", self.endpoint.page_url());
        script.env("HOSTILE", HOSTILE).env("HOSTILE_DESCRIPTION", HOSTILE_DESCRIPTION);
        let mut script = Program::start(&mut script);
        let end = Instant::now() + LONG;
        while script.is_running() && !played.exists() {
            assert!(encoder.is_running() && Instant::now() < end, "nothing was played");
            thread::sleep(Duration::from_millis(50));
        }
        script
    }
}

/// Publishes a clip in a loop.
fn endless(name: &str, size: &str, how: &[&str], channel: &Channel) -> Program {
    let clip = clip(name, &CLIP.replace("SIZE", size));
    let clip = clip.to_str().expect("a path in UTF-8");
    let input = ["-re", "-stream_loop", "-1", "-i", clip];
    publish(input.iter().chain(how).copied(), &channel.publish_url())
}

fn done(seen: Ran) -> String {
    assert!(seen.status.success(), "{}{}", seen.stdout, seen.stderr);
    seen.stdout
}
