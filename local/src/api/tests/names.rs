//! Names that paths, listings or XML documents cannot represent.

use super::*;
use crate::store::ChannelSettings;

#[test]
fn channel_names_that_cannot_be_listed_are_refused() {
    let fixture = Fixture::new();
    for name in ["a%00b", "%01", "a%1Bb", "%EF%BF%BE", "a%EF%BF%BF", ".", ".."] {
        for (method, query) in [
            ("PUT", "live"),
            ("PUT", "live&status=enabled"),
            ("GET", "live"),
            ("GET", "live&comp=stat"),
            ("GET", "live&comp=history"),
            ("DELETE", "live"),
            ("GET", "vod&startTime=1&endTime=2"),
        ] {
            let response = fixture.call(method, &format!("/demo/{name}?{query}"), CONFIGURATION);
            let expected = (400, "InvalidChannelName".into());
            assert_eq!(response.error(), expected, "{method} {name} {query}");
        }
    }
    assert_eq!(fixture.call("GET", "/demo?live", b"").texts("Name").len(), 0);
}

#[test]
fn a_channel_listing_contains_each_valid_name_once() {
    let fixture = Fixture::new();
    for name in ["a", "a ", " b", "b\tc\n\rd", "c&<>\"'", "d]]>", "\u{85}", "直 播", "\u{fffd}"] {
        fixture.put_channel(name);
    }
    let settings = ChannelSettings {
        description: String::new(),
        enabled: true,
        frag_duration: 5,
        frag_count: 3,
        playlist_name: "playlist.m3u8".into(),
        snapshot: None,
    };
    // Names that earlier versions allowed.
    for name in ["..", "a\0b", "b\u{1}", "\u{fffe}", "\u{ffff}"] {
        fixture.store.put_channel("demo", name, settings.clone()).unwrap();
    }
    for max in 1..5 {
        let (mut seen, mut marker) = (Vec::new(), String::new());
        loop {
            let from = osslive::request::percent_encode(&marker).to_string();
            let page =
                fixture.call("GET", &format!("/demo?live&max-keys={max}&marker={from}"), b"");
            seen.extend(page.texts("Name"));
            match page.text("NextMarker") {
                Some(next) => marker = next,
                None => break,
            }
        }
        assert_eq!(seen.len(), 9, "{max}: {seen:?}");
        assert!(seen.is_sorted() && seen.windows(2).all(|two| two[0] != two[1]), "{seen:?}");
        for name in seen {
            let target = format!("/demo/{}?live", osslive::request::percent_encode(&name));
            assert_eq!(fixture.call("GET", &target, b"").status, 200, "{name:?}");
        }
    }
}

#[test]
fn each_invalid_listing_parameter_has_its_ec() {
    let fixture = Fixture::new();
    let long = "x".repeat(1025);
    for (query, ec) in [
        ("prefix=a%00", "0044-00000102"),
        ("prefix=%ff", "0044-00000102"),
        (&format!("prefix={long}"), "0044-00000102"),
        ("marker=%EF%BF%BF", "0044-00000103"),
        ("marker=%ff", "0044-00000103"),
        (&format!("marker={long}"), "0044-00000103"),
        ("max-keys=0", "0044-00000101"),
        ("max-keys=1001", "0044-00000101"),
        ("max-keys=-1", "0044-00000101"),
    ] {
        let response = fixture.call_unsigned_query("/demo", "live", query);
        assert_eq!(response.error(), (400, "InvalidArgument".into()), "{query}");
        assert_eq!(response.header("x-oss-ec"), Some(ec), "{query}");
    }
    assert_eq!(fixture.call("GET", "/?prefix=a%00", b"").error(), (400, "InvalidArgument".into()));
    let longest = "x".repeat(1024);
    assert_eq!(fixture.call("GET", &format!("/demo?live&marker={longest}"), b"").status, 200);
}

impl Fixture {
    /// Sends a request with a version 1 signature, which does not cover `more`.
    pub(super) fn call_unsigned_query(&self, path: &str, query: &str, more: &str) -> TestResponse {
        let mut request = plain("GET", &format!("{path}?{query}&{more}"), b"");
        let date = time_format::http_date(OffsetDateTime::from_unix_timestamp(NOW).unwrap());
        let parts =
            Parts { method: "GET", bucket: "demo", key: "", query: &[(query, None)], headers: &[] };
        let signature = v1::signature(&v1::Key::new(SECRET), &v1::string_to_sign(&parts, &date));
        request.headers.push(("date".into(), date));
        request.headers.push(("authorization".into(), format!("OSS {ID}:{signature}")));
        self.send(&request)
    }
}

/// Keys that only a listing with `encoding-type=url` can represent.
const UNPRINTABLE: &[&str] = &["%01%02%03", "%0C", "b%1F/%EF%BF%BF", "b%1F/x"];

#[test]
fn an_object_listing_is_refused_if_it_cannot_represent_a_key() {
    let fixture = Fixture::new();
    for key in ["a", "b/c", "b%0D%0A"].iter().chain(UNPRINTABLE) {
        assert_eq!(fixture.call("PUT", &format!("/demo/{key}"), b"x").status, 200, "{key}");
    }
    assert_eq!(fixture.call("PUT", "/demo/a%00", b"x").error(), (400, "InvalidObjectName".into()));
    for version in ["", "&list-type=2"] {
        let (mut seen, mut more) = (Vec::new(), String::new());
        loop {
            let target = format!("/demo?encoding-type=url&max-keys=2{version}{more}");
            let page = fixture.call("GET", &target, b"");
            seen.extend(page.texts("Key"));
            more = match (page.text("NextMarker"), page.text("NextContinuationToken")) {
                (Some(marker), _) => format!("&marker={marker}"),
                (_, Some(token)) => format!("&continuation-token={token}"),
                _ => break,
            };
        }
        assert_eq!(seen.len(), 7, "{seen:?}");
        for key in seen {
            assert_eq!(fixture.call("GET", &format!("/demo/{key}"), b"").status, 200, "{key}");
        }
        for query in ["", "&prefix=b%1F", "&delimiter=/", "&delimiter=%01&prefix=a"] {
            let response = fixture.call("GET", &format!("/demo?{version}{query}"), b"");
            assert_eq!(response.error(), (400, "InvalidArgument".into()), "{query}");
            assert_eq!(response.text("ArgumentName").as_deref(), Some("encoding-type"));
        }
        let plain = fixture.call("GET", &format!("/demo?prefix=b/{version}"), b"");
        assert_eq!(plain.texts("Key"), ["b/c"]);
    }
}

#[test]
fn settings_that_could_not_be_read_back_are_refused() {
    let fixture = Fixture::new();
    for inner in [
        "<Description>a&#1;b</Description><Target><Type>HLS</Type></Target>",
        "<Description>&#xFFFF;</Description><Target><Type>HLS</Type></Target>",
        "<Target><Type>HLS</Type><PlaylistName>a&#1;.m3u8</PlaylistName></Target>",
    ] {
        let body = format!("<LiveChannelConfiguration>{inner}</LiveChannelConfiguration>");
        let response = fixture.call("PUT", "/demo/ch?live", body.as_bytes());
        assert_eq!(response.status, 400, "{inner}: {}", response.body);
    }
    assert_eq!(fixture.call("GET", "/demo/ch?live", b"").status, 404);
}

#[test]
fn version_1_refuses_to_sign_a_playlist_line_that_looks_like_a_sub_resource() {
    let fixture = Fixture::new();
    let playlist = b"#EXTM3U\n1.ts\nx.mp4%3Fresponse-content-type=a.ts\n";
    assert_eq!(fixture.call("PUT", "/demo/p.m3u8", playlist).status, 200);
    let by = |version| {
        let target = presigned(version, "p.m3u8", "x-oss-process=hls/sign");
        fixture.anonymous("GET", &target)
    };
    assert_eq!(by(1).error(), (400, "InvalidArgument".into()));
    assert_eq!(by(4).status, 200);
}
