//! Observations of GetLiveChannelStat, GetLiveChannelHistory and VOD playlists of
//! channels that were never published to.

use super::experiment::{Experiment, Names, probe, probe_channel};
use super::observation::Source::{self, Documented, Inferred, Tested, Unknown};
use super::request_spec::{MINIMAL, RequestSpec, See};

fn stat(name: &str) -> RequestSpec {
    RequestSpec::get(name).live().param("comp", "stat").see(&[See::Text("Status")])
}

fn history(name: &str) -> RequestSpec {
    RequestSpec::get(name).live().param("comp", "history")
}

/// Requests a playlist of an existing channel: seconds from now, or strings.
fn vod(
    id: &'static str,
    title: &'static str,
    source: Source,
    start: Time,
    end: Time,
) -> Experiment {
    probe_channel(id, title, source, move |n| {
        between(RequestSpec::get(&n.name).flag("vod"), n, start, end)
    })
}

#[derive(Clone, Copy)]
enum Time {
    Off(i64),
    Text(&'static str),
    Missing,
}

fn between(mut spec: RequestSpec, n: &Names<'_>, start: Time, end: Time) -> RequestSpec {
    for (name, time) in [("startTime", start), ("endTime", end)] {
        let value = match time {
            Time::Off(seconds) => (n.bench.now().unix_timestamp() + seconds).to_string(),
            Time::Text(text) => text.to_owned(),
            Time::Missing => continue,
        };
        spec = spec.param(name, value);
    }
    spec
}

/// Saves a playlist with a name.
fn post(id: &'static str, title: &'static str, source: Source, name: &'static str) -> Experiment {
    probe_channel(id, title, source, move |n| {
        let spec = RequestSpec::post(format!("{}{name}", n.name)).flag("vod");
        between(spec, n, Time::Off(-60), Time::Off(0))
    })
}

pub(super) fn all() -> Vec<Experiment> {
    let mut all = vec![
        probe_channel("stat-idle", "GetLiveChannelStat of a new channel", Tested, |n| {
            stat(&n.name)
        }),
        Experiment::new(
            &[("stat-disabled", "GetLiveChannelStat of a disabled channel", Tested)],
            |notes| {
                let name = notes.name();
                let disabled = format!("<Status>disabled</Status>{MINIMAL}");
                notes.put("stat-disabled", &name, &disabled)?;
                notes.see("stat-disabled", &stat(&name)).map(drop)
            },
        ),
        probe("stat-missing", "GetLiveChannelStat of a nonexistent channel", Tested, |n| {
            stat(&n.name)
        }),
        probe_channel("history-empty", "history of a new channel", Tested, |n| history(&n.name)),
        probe("history-missing", "history of a nonexistent channel", Tested, |n| history(&n.name)),
        probe_channel("comp-unknown", "an unknown comp", Unknown, |n| {
            RequestSpec::get(&n.name).live().param("comp", "future")
        }),
        probe_channel("comp-empty", "an empty comp", Unknown, |n| {
            RequestSpec::get(&n.name).live().param("comp", "")
        }),
    ];
    all.extend(times());
    all.extend(stored());
    all
}

fn times() -> Vec<Experiment> {
    use Time::{Missing, Off, Text};
    const DAY: i64 = 86_400;
    vec![
        vod("vod-nothing", "a playlist without a recording", Tested, Off(-60), Off(0)),
        probe("vod-missing-channel", "a playlist of a nonexistent channel", Tested, |n| {
            between(RequestSpec::get(&n.name).flag("vod"), n, Off(-60), Off(0))
        }),
        vod("vod-start-missing", "startTime is missing", Documented, Missing, Off(0)),
        vod("vod-end-missing", "endTime is missing", Documented, Off(-60), Missing),
        vod("vod-start-text", "startTime is not a number", Documented, Text("now"), Off(0)),
        vod("vod-end-text", "endTime is not a number", Documented, Off(-60), Text("now")),
        vod("vod-start-negative", "startTime is negative", Unknown, Text("-60"), Off(0)),
        vod("vod-start-empty", "startTime is empty", Inferred, Text(""), Off(0)),
        vod("vod-equal", "startTime equals endTime", Tested, Off(-60), Off(-60)),
        vod("vod-reversed", "startTime after endTime", Documented, Off(0), Off(-60)),
        vod("vod-day", "a span of a day", Documented, Off(-DAY), Off(0)),
        vod("vod-over-a-day", "a span of a day and a second", Documented, Off(-DAY - 1), Off(0)),
        vod("vod-future", "a span in the future", Unknown, Off(3600), Off(7200)),
        vod(
            "vod-milliseconds",
            "times in milliseconds",
            Inferred,
            Text("1"),
            Text("1795335398000"),
        ),
    ]
}

fn stored() -> Vec<Experiment> {
    vec![
        post("post-vod-nothing", "a stored playlist without a recording", Tested, "/vod.m3u8"),
        post("post-vod-suffix", "a stored playlist without .m3u8", Documented, "/vod.txt"),
        post("post-vod-folder", "a stored playlist in a folder", Inferred, "/a/vod.m3u8"),
        post("post-vod-no-name", "a stored playlist without a name", Inferred, "/"),
        post("post-vod-no-playlist", "a stored playlist on the channel itself", Unknown, ""),
        probe("get-vod-name-slash", "GetVodPlaylist of a name with a slash", Documented, |n| {
            let spec = RequestSpec::get(format!("{}/a", n.name)).flag("vod");
            between(spec, n, Time::Off(-60), Time::Off(0))
        }),
        probe_channel("post-vod-body", "PostVodPlaylist with a body", Unknown, |n| {
            let spec = RequestSpec::post(format!("{}/vod.m3u8", n.name)).flag("vod").body("x");
            between(spec, n, Time::Off(-60), Time::Off(0))
        }),
    ]
}
