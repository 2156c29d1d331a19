//! The web page of the endpoint in a real browser, with a real encoder behind
//! it: headless Chromium, driven by `tests/real/page.cjs`.
//!
//! Where Chromium, its driver or ffmpeg is missing this is told as skipped;
//! with `CI` set it is a failure. `tests/real/setup.sh` installs them.

mod support;

use osslive::ChannelConfig;
use std::time::{Duration, Instant};
use support::{Browser, Channel, Endpoint, Folder, LONG, Program, clip, has_ffmpeg, publish};

/// A channel's name that is markup, and its description.
const HOSTILE: &str = "<img src=x onerror=alert(1)>";
const HOSTILE_DESCRIPTION: &str = "<script>alert(2)</script><b onclick=alert(3)>bold</b>";

const CLIP: &str = "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i \
                    sine=frequency=440:sample_rate=44100 -t 8 -c:v libx264 -preset ultrafast \
                    -g 30 -pix_fmt yuv420p -c:a aac";

#[test]
fn the_page_plays_what_is_published_and_takes_no_name_for_markup() {
    let what = "the page in a browser";
    let Some(browser) = Browser::find(what).filter(|_| has_ffmpeg(what)) else { return };
    let folder = Folder::new("page");
    let hls_js = browser.hls_js();
    let hls_js = hls_js.to_str().expect("a path in UTF-8");
    let endpoint = Endpoint::start_with(&folder.path().join("data"), &["--hls-js", hls_js]);
    let client = endpoint.client();
    let hostile = ChannelConfig::new("").description(HOSTILE_DESCRIPTION);
    client.put_channel(HOSTILE, &hostile).expect("a new channel");
    let channel = Channel::create(&client, "main-stage");
    let clip = clip("page", CLIP);
    let endless = ["-re", "-stream_loop", "-1", "-i", clip.to_str().expect("a path in UTF-8")];
    let endless = endless.into_iter().chain(["-c", "copy"]);
    let mut encoder = publish(endless, &channel.publish_url());
    channel.wait_live(Some((640, 360, 30)), Some(44_100));
    // Each look makes the VOD playlist that the page will find.
    channel.wait_fragments(2);

    // The script says by this file that it has seen enough of what is live.
    let played = folder.path().join("played");
    let mut script = browser.command("page.cjs");
    script.env("PAGE", format!("{}/_osslive/", endpoint.url)).env("PLAYED", &played);
    script.env("CHANNEL", "main-stage").env("HOSTILE", HOSTILE);
    script.env("HOSTILE_DESCRIPTION", HOSTILE_DESCRIPTION);
    let mut script = Program::start(&mut script);
    let end = Instant::now() + LONG;
    while script.is_running() && !played.exists() {
        assert!(encoder.is_running() && Instant::now() < end, "nothing was played");
        std::thread::sleep(Duration::from_millis(50));
    }
    encoder.kill();
    let seen = script.end(LONG);
    assert!(seen.status.success(), "{}{}", seen.stdout, seen.stderr);
    let checks = seen.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(checks >= 25, "most checks never ran:\n{}", seen.stdout);
}
