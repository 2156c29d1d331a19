//! The vendor's own SDKs, unmodified, against a real endpoint: every operation in
//! both signature versions, and ffmpeg with URLs that they signed.
//!
//! An SDK that is not installed is reported as skipped; with `CI` set, that is a
//! failure. `tests/real/setup.sh` installs them.

mod support;

use support::{
    Endpoint, Folder, LONG, Program, SOON, Sdk, clip, has_ffmpeg, publish_clip, refusal, run,
};

#[test]
fn oss2_performs_every_operation_with_v1_signatures() {
    every_operation(Sdk::Oss2, "v1");
}

#[test]
fn oss2_performs_every_operation_with_v4_signatures() {
    every_operation(Sdk::Oss2, "v4");
}

#[test]
fn ali_oss_performs_every_operation_with_v1_signatures() {
    every_operation(Sdk::AliOss, "v1");
}

#[test]
fn ali_oss_performs_every_operation_with_v4_signatures() {
    every_operation(Sdk::AliOss, "v4");
}

#[test]
fn ffmpeg_publishes_to_a_url_that_oss2_signed() {
    publish_as(Sdk::Oss2, "v4", false, "cam");
}

#[test]
fn ffmpeg_publishes_to_a_url_that_oss2_signed_with_a_temporary_key() {
    // oss2 does not encode the name, and ffmpeg takes text after a space in a URL
    // for librtmp options: a name for both has no spaces.
    publish_as(Sdk::Oss2, "v1", true, "直播-1");
}

#[test]
fn ffmpeg_publishes_to_a_url_that_ali_oss_signed() {
    publish_as(Sdk::AliOss, "v1", false, "cam");
}

#[test]
fn ffmpeg_publishes_to_a_url_with_spaces_that_ali_oss_signed() {
    publish_as(Sdk::AliOss, "v4", false, "live cam 直播");
}

#[test]
fn oss2_disables_a_channel_while_it_is_live() {
    disable_as(Sdk::Oss2);
}

#[test]
fn ali_oss_disables_a_channel_while_it_is_live() {
    disable_as(Sdk::AliOss);
}

const CLIP: &str = "-f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i \
                    sine=frequency=440:sample_rate=44100 -t 8 -c:v libx264 -preset ultrafast \
                    -g 30 -pix_fmt yuv420p -c:a aac";

fn every_operation(sdk: Sdk, signature: &str) {
    let what = format!("every operation with {sdk:?} {signature}");
    let Some(stage) = Stage::set(sdk, signature, false, what) else { return };
    let said = stage.script(&["operations"]);
    assert!(said.lines().count() > 150, "most checks never ran:\n{said}");
}

/// ffmpeg publishes to the SDK's URL; the SDK sees it live, and the recording
/// afterwards. The same URL with one byte changed is rejected with the reason.
fn publish_as(sdk: Sdk, signature: &str, temporary_key: bool, channel: &str) {
    let what = format!("publishing to a URL of {sdk:?}");
    let Some(stage) = Stage::set_with_encoder(sdk, signature, temporary_key, what) else { return };
    stage.script(&["create", channel]);
    let url = stage.script(&["url", channel]).trim_end().to_string();

    let at = url.find("Signature=").expect("a signed URL") + "Signature=".len();
    let other = if url[at..].starts_with('0') { '1' } else { '0' };
    let changed = format!("{}{other}{}", &url[..at], &url[at + 1..]);
    let reason = refusal(encoder(&changed).end(SOON));
    assert!(reason.contains("SignatureDoesNotMatch"), "{reason}");

    let encoder = encoder(&url);
    stage.script(&["live", channel, "640", "360", "30"]);
    encoder.end(LONG).silent("the encoder");
    stage.script(&["ended", channel]);
}

fn disable_as(sdk: Sdk) {
    let what = format!("disabling a live channel with {sdk:?}");
    let Some(stage) = Stage::set_with_encoder(sdk, "v4", false, what) else { return };
    stage.script(&["create", "cam"]);
    let url = stage.script(&["url", "cam"]).trim_end().to_string();
    let first = encoder(&url);
    stage.script(&["live", "cam", "640", "360", "30"]);
    stage.script(&["disable", "cam"]);
    let cut = first.end(SOON);
    assert!(!cut.status.success(), "the encoder was not disconnected: {}", cut.stderr);
    let reason = refusal(encoder(&url).end(SOON));
    assert!(reason.contains("LiveChannelDisabled"), "{reason}");
}

fn encoder(url: &str) -> Program {
    publish_clip(&clip("clients", CLIP), url)
}

/// An endpoint, and an SDK to drive it with.
struct Stage {
    sdk: Sdk,
    signature: String,
    temporary_key: bool,
    what: String,
    endpoint: Endpoint,
    _folder: Folder,
}

impl Stage {
    /// `None` where the SDK is missing, which is reported.
    fn set(sdk: Sdk, signature: &str, temporary_key: bool, what: String) -> Option<Stage> {
        if !sdk.is_installed(&what) {
            return None;
        }
        let folder = Folder::new(&what.replace(' ', "-"));
        let endpoint = Endpoint::start(&folder.path().join("data"));
        let signature = signature.to_string();
        Some(Stage { sdk, signature, temporary_key, what, endpoint, _folder: folder })
    }

    fn set_with_encoder(
        sdk: Sdk,
        signature: &str,
        temporary_key: bool,
        what: String,
    ) -> Option<Stage> {
        if !has_ffmpeg(&what) {
            return None;
        }
        Stage::set(sdk, signature, temporary_key, what)
    }

    /// Runs the SDK's script, whose checks must all pass; returns its output.
    fn script(&self, arguments: &[&str]) -> String {
        let mut command = self.sdk.command(&self.endpoint, &self.signature);
        if self.temporary_key {
            command.env("OSS_AS_STS", "1");
        }
        let ran = run(command.args(arguments), LONG);
        let failed = ran.stdout.lines().filter(|line| !line.starts_with("PASS"));
        let failed = failed.collect::<Vec<_>>().join("\n");
        assert!(ran.status.success(), "{}: {arguments:?}:\n{failed}\n{}", self.what, ran.stderr);
        ran.stdout
    }
}
