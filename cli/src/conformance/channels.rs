//! Observations of PutLiveChannel, GetLiveChannelInfo, PutLiveChannelStatus and
//! DeleteLiveChannel.

use super::experiment::{Experiment, Names, probe, probe_channel};
use super::observation::Source::{self, Documented, Inferred, Tested, Unknown};
use super::request_spec::{MINIMAL, RequestSpec, See, put};

/// The response of GetLiveChannelInfo.
const SETTINGS: &[See] = &[
    See::Text("Description"),
    See::Text("Status"),
    See::Text("Target/Type"),
    See::Text("Target/FragDuration"),
    See::Text("Target/FragCount"),
    See::Text("Target/PlaylistName"),
];

/// Puts a configuration, of which only the effect is observed.
fn configured(
    id: &'static str,
    title: &'static str,
    source: Source,
    configuration: impl Fn(&Names<'_>) -> String + Send + Sync + 'static,
) -> Experiment {
    probe(id, title, source, move |n| put(&n.name, &configuration(n)))
}

/// Puts a configuration and reads it back.
fn read_back(
    id: &'static str,
    title: &'static str,
    source: Source,
    configuration: impl Fn() -> String + Send + Sync + 'static,
) -> Experiment {
    Experiment::new(&[(id, title, source)], move |notes| {
        let name = notes.name();
        notes.put(id, &name, &configuration())?;
        notes.see(id, &RequestSpec::get(&name).live().see(SETTINGS)).map(drop)
    })
}

fn target(children: &str) -> String {
    format!("<Target><Type>HLS</Type>{children}</Target>")
}

fn fragments(duration: &str, count: &str) -> String {
    target(&format!("<FragDuration>{duration}</FragDuration><FragCount>{count}</FragCount>"))
}

fn playlist(name: &str) -> String {
    target(&format!("<PlaylistName>{name}</PlaylistName>"))
}

fn described(text: &str) -> String {
    format!("<Description>{text}</Description>{MINIMAL}")
}

pub(super) fn all() -> Vec<Experiment> {
    let mut all = settings();
    all.extend(fragment_limits());
    all.extend(playlist_names());
    all.extend(documents());
    all.extend(snapshots());
    all.extend(states());
    all
}

fn settings() -> Vec<Experiment> {
    vec![
        probe("put-minimal", "PutLiveChannel with only a type", Documented, |n| {
            let urls = [See::Text("PublishUrls/Url"), See::Text("PlayUrls/Url")];
            put(&n.name, MINIMAL).see(&urls)
        }),
        probe_channel("put-again", "PutLiveChannel replaces a configuration", Documented, |n| {
            put(&n.name, &described("another"))
        }),
        read_back("info-defaults", "defaults of a channel", Documented, || MINIMAL.to_owned()),
        read_back("info-all", "a configuration is read back whole", Documented, || {
            let target = "<Target><Type>HLS</Type><FragDuration>7</FragDuration>\
                          <FragCount>9</FragCount><PlaylistName>other.m3u8</PlaylistName></Target>";
            format!("<Description>a &amp; &lt;b&gt;</Description><Status>disabled</Status>{target}")
        }),
        probe("info-missing", "GetLiveChannelInfo of a nonexistent channel", Documented, |n| {
            RequestSpec::get(&n.name).live()
        }),
        configured("put-description-128", "description of 128 bytes", Documented, |_| {
            described(&"x".repeat(128))
        }),
        configured("put-description-129", "description of 129 bytes", Documented, |_| {
            described(&"x".repeat(129))
        }),
        configured(
            "put-description-64-wide",
            "description of 64 characters, 128 bytes",
            Inferred,
            |_| described(&"é".repeat(64)),
        ),
        configured(
            "put-description-65-wide",
            "description of 65 characters, 130 bytes",
            Inferred,
            |_| described(&"é".repeat(65)),
        ),
        configured(
            "put-status-unknown",
            "configuration with an unknown status",
            Documented,
            |_| format!("<Status>paused</Status>{MINIMAL}"),
        ),
        configured("put-status-upper-case", "configuration with status Enabled", Inferred, |_| {
            format!("<Status>Enabled</Status>{MINIMAL}")
        }),
        configured("put-status-empty", "configuration with an empty status", Unknown, |_| {
            format!("<Status></Status>{MINIMAL}")
        }),
        configured("put-type-rtmp", "type RTMP", Tested, |_| {
            "<Target><Type>RTMP</Type></Target>".to_owned()
        }),
        configured("put-type-lower-case", "type hls", Inferred, |_| {
            "<Target><Type>hls</Type></Target>".to_owned()
        }),
        configured("put-type-missing", "target without a type", Inferred, |_| {
            "<Target><FragDuration>5</FragDuration><FragCount>3</FragCount></Target>".to_owned()
        }),
    ]
}

fn fragment_limits() -> Vec<Experiment> {
    let case = |id, title, source, duration: &'static str, count: &'static str| {
        configured(id, title, source, move |_| fragments(duration, count))
    };
    vec![
        case("put-frag-duration-0", "FragDuration 0", Documented, "0", "3"),
        case("put-frag-duration-1", "FragDuration 1", Documented, "1", "3"),
        case("put-frag-duration-100", "FragDuration 100", Documented, "100", "3"),
        case("put-frag-duration-101", "FragDuration 101", Documented, "101", "3"),
        case("put-frag-duration-negative", "FragDuration -1", Tested, "-1", "3"),
        case("put-frag-duration-fraction", "FragDuration 2.5", Inferred, "2.5", "3"),
        case("put-frag-duration-text", "FragDuration is not a number", Inferred, "five", "3"),
        case("put-frag-duration-empty", "FragDuration is empty", Unknown, "", "3"),
        case("put-frag-duration-spaces", "FragDuration surrounded by spaces", Unknown, " 5 ", "3"),
        case("put-frag-count-0", "FragCount 0", Documented, "5", "0"),
        case("put-frag-count-1", "FragCount 1", Documented, "5", "1"),
        case("put-frag-count-100", "FragCount 100", Documented, "5", "100"),
        case("put-frag-count-101", "FragCount 101", Documented, "5", "101"),
        case("put-frag-count-text", "FragCount is not a number", Inferred, "5", "three"),
        configured("put-frag-duration-alone", "FragDuration without FragCount", Inferred, |_| {
            target("<FragDuration>5</FragDuration>")
        }),
        configured("put-frag-count-alone", "FragCount without FragDuration", Inferred, |_| {
            target("<FragCount>3</FragCount>")
        }),
    ]
}

fn playlist_names() -> Vec<Experiment> {
    let name = |length: usize| "x".repeat(length - ".m3u8".len()) + ".m3u8";
    vec![
        read_back("put-playlist-empty", "an empty playlist name is the default", Tested, || {
            playlist("")
        }),
        configured("put-playlist-5", "playlist name .m3u8, of 5 bytes", Documented, |_| {
            playlist(".m3u8")
        }),
        configured("put-playlist-6", "playlist name of 6 bytes", Documented, |_| {
            playlist("a.m3u8")
        }),
        configured("put-playlist-128", "playlist name of 128 bytes", Documented, move |_| {
            playlist(&name(128))
        }),
        configured("put-playlist-129", "playlist name of 129 bytes", Documented, move |_| {
            playlist(&name(129))
        }),
        configured("put-playlist-suffix", "playlist name without .m3u8", Documented, |_| {
            playlist("playlist.txt")
        }),
        configured("put-playlist-upper-case", "playlist name with .M3U8", Inferred, |_| {
            playlist("playlist.M3U8")
        }),
        configured("put-playlist-slash", "playlist name with a slash", Documented, |_| {
            playlist("a/b.m3u8")
        }),
        read_back("put-playlist-misspelled", "PlayListName is ignored", Tested, || {
            target("<PlayListName>other.m3u8</PlayListName>")
        }),
    ]
}

fn documents() -> Vec<Experiment> {
    let raw = |id, title, source, body: &'static str| {
        probe(id, title, source, move |n| RequestSpec::put(&n.name).live().body(body))
    };
    vec![
        raw("put-body-empty", "PutLiveChannel without a body", Documented, ""),
        raw("put-body-text", "a body that is not XML", Documented, "no XML"),
        raw("put-body-cut", "a truncated body", Documented, "<LiveChannelConfiguration>"),
        raw(
            "put-root-other",
            "a body with another root element",
            Inferred,
            "<Configuration><Target><Type>HLS</Type></Target></Configuration>",
        ),
        raw(
            "put-declaration-missing",
            "a body without an XML declaration",
            Tested,
            "<LiveChannelConfiguration><Target><Type>HLS</Type></Target></LiveChannelConfiguration>",
        ),
        raw(
            "put-namespace",
            "a body with a namespace",
            Unknown,
            "<LiveChannelConfiguration xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">\
             <Target><Type>HLS</Type></Target></LiveChannelConfiguration>",
        ),
        raw(
            "put-doctype",
            "a body with a DOCTYPE",
            Unknown,
            "<!DOCTYPE a [<!ENTITY b \"c\">]>\
             <LiveChannelConfiguration><Target><Type>HLS</Type></Target></LiveChannelConfiguration>",
        ),
        configured("put-target-missing", "a configuration without a target", Inferred, |_| {
            "<Description>x</Description>".to_owned()
        }),
        configured("put-target-twice", "a configuration with two targets", Inferred, |_| {
            MINIMAL.repeat(2)
        }),
        configured(
            "put-element-unknown",
            "a configuration with an unknown element",
            Tested,
            |_| format!("<Colour>red</Colour>{MINIMAL}"),
        ),
        configured(
            "put-order-other",
            "a configuration with its elements in another order",
            Inferred,
            |_| format!("{MINIMAL}<Status>enabled</Status><Description>x</Description>"),
        ),
    ]
}

/// Only rejected ones: snapshots need a role, a topic and a bucket.
fn snapshots() -> Vec<Experiment> {
    fn snapshot(role: &str, bucket: &str, topic: &str, interval: &str) -> String {
        format!(
            "{MINIMAL}<Snapshot><RoleName>{role}</RoleName><DestBucket>{bucket}</DestBucket>\
             <NotifyTopic>{topic}</NotifyTopic><Interval>{interval}</Interval></Snapshot>"
        )
    }
    let case = |id,
                title,
                role: &'static str,
                bucket: &'static str,
                topic: &'static str,
                interval: &'static str| {
        configured(id, title, Documented, move |_| snapshot(role, bucket, topic, interval))
    };
    vec![
        case("put-snapshot-role-empty", "snapshot with an empty role", "", "dest-bucket", "t", "5"),
        case(
            "put-snapshot-topic-empty",
            "snapshot with an empty topic",
            "r",
            "dest-bucket",
            "",
            "5",
        ),
        case("put-snapshot-bucket-invalid", "snapshot to an invalid bucket", "r", "A_", "t", "5"),
        case("put-snapshot-interval-0", "snapshot interval 0", "r", "dest-bucket", "t", "0"),
        case("put-snapshot-interval-101", "snapshot interval 101", "r", "dest-bucket", "t", "101"),
        configured("put-snapshot-twice", "two snapshots", Documented, |_| {
            let one = snapshot("r", "dest-bucket", "t", "5");
            one.clone() + one.strip_prefix(MINIMAL).unwrap_or_default()
        }),
    ]
}

fn states() -> Vec<Experiment> {
    let status = |id, title, source, value: &'static str| {
        probe_channel(id, title, source, move |n| {
            RequestSpec::put(&n.name).live().param("status", value)
        })
    };
    vec![
        status("status-disabled", "PutLiveChannelStatus disabled", Documented, "disabled"),
        status("status-enabled-again", "the status that a channel already has", Tested, "enabled"),
        status("status-unknown", "PutLiveChannelStatus with an unknown status", Tested, "paused"),
        status("status-empty", "PutLiveChannelStatus with an empty status", Unknown, ""),
        probe(
            "status-missing-channel",
            "PutLiveChannelStatus of a nonexistent channel",
            Tested,
            |n| RequestSpec::put(&n.name).live().param("status", "disabled"),
        ),
        probe_channel("status-body", "PutLiveChannelStatus with a body", Unknown, |n| {
            RequestSpec::put(&n.name).live().param("status", "disabled").body("<Status/>")
        }),
        Experiment::new(
            &[("status-kept", "GetLiveChannelInfo after disabling", Documented)],
            |notes| {
                let name = notes.name();
                notes.put("status-kept", &name, MINIMAL)?;
                let disable = RequestSpec::put(&name).live().param("status", "disabled");
                notes.must("status-kept", &disable)?;
                let info = RequestSpec::get(&name).live().see(&[See::Text("Status")]);
                notes.see("status-kept", &info).map(drop)
            },
        ),
        probe_channel("delete", "DeleteLiveChannel", Documented, |n| {
            RequestSpec::delete(&n.name).live()
        }),
        probe("delete-missing", "DeleteLiveChannel of a nonexistent channel", Tested, |n| {
            RequestSpec::delete(&n.name).live()
        }),
        Experiment::new(
            &[("delete-then-info", "a deleted channel is gone at once", Tested)],
            |notes| {
                let name = notes.name();
                notes.put("delete-then-info", &name, MINIMAL)?;
                notes.must("delete-then-info", &RequestSpec::delete(&name).live())?;
                notes.see("delete-then-info", &RequestSpec::get(&name).live()).map(drop)
            },
        ),
        Experiment::new(
            &[("delete-then-put", "a deleted channel starts over", Inferred)],
            |notes| {
                let name = notes.name();
                notes.put("delete-then-put", &name, &described("first"))?;
                notes.must("delete-then-put", &RequestSpec::delete(&name).live())?;
                notes.put("delete-then-put", &name, MINIMAL)?;
                notes
                    .see("delete-then-put", &RequestSpec::get(&name).live().see(SETTINGS))
                    .map(drop)
            },
        ),
    ]
}
