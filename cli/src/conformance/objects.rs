//! Observations of objects: how playlists and fragments are served.

use super::bench::Miss;
use super::experiment::{Experiment, Names, Notes, probe};
use super::observation::Need;
use super::observation::Source::{self, Documented, Inferred, Unknown};
use super::request_spec::{RequestSpec, Scheme, See};

const SERVED: &[See] = &[
    See::Header("cache-control"),
    See::Header("content-disposition"),
    See::Header("accept-ranges"),
    See::Header("x-oss-object-type"),
    See::Body,
];
const PLAYLIST: &str = "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1.000,\n1.ts\n#EXT-X-ENDLIST\n";
const HEADER: &str = "x-oss-hls-sign-token";

fn object(
    id: &'static str,
    title: &'static str,
    source: Source,
    body: &'static str,
    spec: impl Fn(&Names<'_>, &str) -> RequestSpec + Send + Sync + 'static,
) -> Experiment {
    Experiment::new(&[(id, title, source)], move |notes| {
        let key = format!("{}/playlist.m3u8", notes.name());
        let put = RequestSpec::put(&key)
            .body(body)
            .header("content-type", "application/vnd.apple.mpegurl");
        notes.must(id, &put)?;
        let names = Names { bench: notes.bench, name: notes.name() };
        notes.see(id, &spec(&names, &key)).map(drop)
    })
    .needs(&[Need::Data])
}

/// `x-oss-process=hls/sign` on a playlist.
fn signed(
    id: &'static str,
    title: &'static str,
    body: &'static str,
    change: fn(RequestSpec) -> RequestSpec,
) -> Experiment {
    object(id, title, Documented, body, move |_, key| change(sign(key))).needs(&[Need::Version4])
}

fn sign(key: &str) -> RequestSpec {
    RequestSpec::get(key).param("x-oss-process", "hls/sign").scheme(Scheme::UrlV4)
}

pub(super) fn all() -> Vec<Experiment> {
    let mut all = vec![
        probe(
            "account-data",
            "whether this endpoint serves objects to the account",
            Documented,
            |n| RequestSpec::get(format!("{}/none", n.name)),
        ),
        probe("object-missing", "a playlist that does not exist", Documented, |n| {
            RequestSpec::get(format!("{}/playlist.m3u8", n.name)).see(&[See::Text("Key")])
        })
        .needs(&[Need::Data]),
        probe("object-head-missing", "HEAD of a playlist that does not exist", Documented, |n| {
            RequestSpec::new("HEAD", format!("{}/playlist.m3u8", n.name))
                .see(&[See::Header("x-oss-ec"), See::ErrorHeader])
        }),
        object("object-playlist", "a stored playlist", Inferred, PLAYLIST, |_, key| {
            RequestSpec::get(key).see(SERVED)
        }),
        object(
            "object-anonymous",
            "a playlist without a signature",
            Documented,
            PLAYLIST,
            |_, key| RequestSpec::get(key).scheme(Scheme::Anonymous),
        )
        .needs(&[Need::Private]),
        object("object-range", "a part of a playlist", Documented, PLAYLIST, |_, key| {
            RequestSpec::get(key)
                .header("range", "bytes=0-6")
                .see(&[See::Header("content-range"), See::Body])
        }),
        probe("object-delete-missing", "deleting an object that does not exist", Documented, |n| {
            RequestSpec::delete(format!("{}/none", n.name))
        }),
        guessed(),
        listing(),
    ];
    all.extend(hls_sign());
    all
}

fn hls_sign() -> Vec<Experiment> {
    const MASTER: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n";
    const MIXED: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n1.ts\n";
    vec![
        signed("hls-sign", "hls/sign signs a playlist's fragments", PLAYLIST, |spec| {
            spec.see(&[See::Playlist])
        }),
        signed("hls-sign-header", "hls/sign without a signed URL", PLAYLIST, |spec| {
            spec.scheme(Scheme::HeaderV4)
        }),
        signed(
            "hls-sign-nothing",
            "hls/sign of a playlist without fragments",
            "#EXTM3U\n",
            |spec| spec,
        ),
        signed("hls-sign-master", "hls/sign of a master playlist", MASTER, |spec| {
            spec.see(&[See::Playlist])
        }),
        signed("hls-sign-mixed", "hls/sign of a master playlist with fragments", MIXED, |spec| {
            spec
        }),
        signed("hls-sign-token-long", "a token of 101 characters", PLAYLIST, |spec| {
            spec.header(HEADER, "x".repeat(101))
        }),
        signed("hls-sign-token-invalid", "a token with invalid characters", PLAYLIST, |spec| {
            spec.header(HEADER, "a/b")
        }),
        probe("hls-sign-missing", "hls/sign of an object that is not a playlist", Inferred, |n| {
            sign(&format!("{}/playlist.m3u8", n.name))
        })
        .needs(&[Need::Data, Need::Version4]),
        object("process-unknown", "an unknown x-oss-process", Unknown, PLAYLIST, |_, key| {
            RequestSpec::get(key).param("x-oss-process", "hls/future")
        }),
    ]
}

/// The type of an object that was stored without one.
fn guessed() -> Experiment {
    let observations = [
        ("object-type-m3u8", "the type of a .m3u8 object", Inferred),
        ("object-type-ts", "the type of a .ts object", Inferred),
        ("object-type-none", "the type of an object without a suffix", Inferred),
    ];
    let run = |notes: &Notes<'_>| -> Result<(), Miss> {
        for (id, name) in
            [("object-type-m3u8", "a.m3u8"), ("object-type-ts", "a.ts"), ("object-type-none", "a")]
        {
            let key = format!("{}/{name}", notes.name());
            notes.must(id, &RequestSpec::put(&key).body("x"))?;
            notes.see(id, &RequestSpec::get(&key))?;
        }
        Ok(())
    };
    Experiment::new(&observations, run).needs(&[Need::Data])
}

/// Listed objects with a prefix.
fn listing() -> Experiment {
    let observations = [
        ("objects-list", "listing objects below a prefix", Documented),
        ("objects-delimiter", "listing objects with a delimiter", Documented),
        ("objects-encoded", "listing objects with encoding-type url", Documented),
        ("objects-max-keys-1001", "listing more objects than allowed", Documented),
        ("objects-beside-channel", "an object may have the name of a channel", Inferred),
    ];
    let run = |notes: &Notes<'_>| -> Result<(), Miss> {
        let prefix = notes.name();
        for name in ["/a b", "/c/d"] {
            notes.must("objects-list", &RequestSpec::put(format!("{prefix}{name}")).body("x"))?;
        }
        let list = || RequestSpec::get("").param("prefix", format!("{prefix}/"));
        let key = See::Text("Contents/Key");
        // Owners have names, and objects have more fields than in the local
        // endpoint's listing.
        let seen = [See::Has("Contents"), key, See::Text("IsTruncated"), See::Text("MaxKeys")];
        notes.see("objects-list", &list().see(&seen))?;
        let folder = See::Text("CommonPrefixes/Prefix");
        let delimited = list().param("delimiter", "/").see(&[See::Has("Contents"), key, folder]);
        notes.see("objects-delimiter", &delimited)?;
        let encoded = list().param("encoding-type", "url");
        notes.see("objects-encoded", &encoded.see(&[See::Has("EncodingType"), key]))?;
        notes.see("objects-max-keys-1001", &list().param("max-keys", 1001))?;
        let channel = notes.name_of("objects-beside-channel");
        notes.put("objects-beside-channel", &channel, super::request_spec::MINIMAL)?;
        notes.see("objects-beside-channel", &RequestSpec::put(&channel).body("x")).map(drop)
    };
    Experiment::new(&observations, run).needs(&[Need::Data])
}
