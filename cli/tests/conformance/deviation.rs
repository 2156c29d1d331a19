//! The changes that a proxy makes, and the observations that must differ then.

/// A change of the endpoint's responses in one observation.
#[derive(Debug, Clone, Copy)]
pub struct Deviation {
    pub name: &'static str,
    /// The observation, which the command names in each request.
    pub id: &'static str,
    /// The method, and a part of the query, of the changed request.
    pub method: &'static str,
    pub query: &'static str,
    pub changes: &'static [Change],
    /// What happens to publishers.
    pub push: Option<Push>,
    /// The observations that must differ, if not just that one.
    pub finds: &'static [&'static str],
}

#[derive(Debug, Clone, Copy)]
pub enum Change {
    Status(u16),
    Header(&'static str, &'static str),
    NoHeader(&'static str),
    Body(&'static str),
    /// Replaces the text of an element.
    Text(&'static str, &'static str),
    NoElement(&'static str),
    Rename(&'static str, &'static str),
    /// Swaps two elements.
    Swap(&'static str, &'static str),
    Replace(&'static str, &'static str),
    /// No response within the timeout.
    Hang,
    /// The connection is closed without a response.
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    Accept,
    /// Rejects with this code.
    Refuse(&'static str),
    /// The connection is closed without a reason.
    Close,
    /// The connection stays open although the endpoint closes it.
    Keep,
}

impl Deviation {
    /// Returns whether a request, given its head, is changed.
    pub fn applies_to(&self, head: &str) -> bool {
        let line = head.lines().next().unwrap_or_default();
        let (method, target) = line.split_once(' ').unwrap_or_default();
        let agent = format!("({})", self.id);
        self.push.is_none()
            && head.contains(&agent)
            && method == self.method
            && target.contains(self.query)
    }

    /// Returns whether a publisher is affected, given the name of the stream.
    pub fn affects(&self, stream: &str) -> bool {
        let name = stream.split('?').next().unwrap_or_default();
        name.starts_with("osslive-conformance-") && name.splitn(4, '-').nth(3) == Some(self.id)
    }

    /// Returns the observations that must differ.
    pub fn finds(&self) -> Vec<&'static str> {
        if self.finds.is_empty() { vec![self.id] } else { self.finds.to_vec() }
    }
}

const fn http(
    name: &'static str,
    id: &'static str,
    method: &'static str,
    changes: &'static [Change],
) -> Deviation {
    Deviation { name, id, method, query: "live", changes, push: None, finds: &[] }
}

/// For a sub-resource or object other than `live`.
const fn other(
    name: &'static str,
    id: &'static str,
    method: &'static str,
    query: &'static str,
    changes: &'static [Change],
) -> Deviation {
    Deviation { name, id, method, query, changes, push: None, finds: &[] }
}

const fn rtmp(name: &'static str, id: &'static str, push: Push) -> Deviation {
    let push = Some(push);
    Deviation { name, id, method: "", query: "", changes: &[], push, finds: &[] }
}

const CREATED: &str = "<CreateLiveChannelResult><PublishUrls><Url>x</Url></PublishUrls>\
                       <PlayUrls><Url>x</Url></PlayUrls></CreateLiveChannelResult>";
const EMPTY_LIST: &str = "<ListLiveChannelResult><Prefix></Prefix><Marker></Marker>\
                          <MaxKeys>2000</MaxKeys><IsTruncated>false</IsTruncated>\
                          </ListLiveChannelResult>";
const REFUSAL: &str = "<Error><Code>InvalidArgument</Code><Message>No.</Message>\
                       <RequestId>x</RequestId><HostId>x</HostId></Error>";

/// Deviations of responses that need no stream.
pub const HTTP: &[Deviation] = &[
    // Statuses, codes, ECs and messages.
    http("a different error status", "info-missing", "GET", &[Change::Status(400)]),
    http("a different success status", "put-minimal", "PUT", &[Change::Status(201)]),
    other("a 204 status", "status-disabled", "PUT", "status=", &[Change::Status(204)]),
    http(
        "a redirect",
        "v4-url-right",
        "GET",
        &[Change::Status(307), Change::Header("location", "http://127.0.0.1:1/")],
    ),
    http("another code", "stat-missing", "GET", &[Change::Text("Code", "NoSuchChannel")]),
    http("another EC", "put-frag-duration-0", "PUT", &[Change::Text("EC", "0044-00000099")]),
    http(
        "no EC",
        "put-frag-count-0",
        "PUT",
        &[Change::NoElement("EC"), Change::NoElement("RecommendDoc")],
    ),
    other(
        "a new EC",
        "status-unknown",
        "PUT",
        "status=",
        &[Change::Replace("</Error>", "<EC>0044-00000019</EC></Error>")],
    ),
    http("another message", "name-64", "PUT", &[Change::Text("Message", "Too long.")]),
    http("a server error", "history-missing", "GET", &[Change::Status(500)]),
    // Elements: missing, renamed, reordered and new ones, and their texts.
    http("a missing element", "info-defaults", "GET", &[Change::NoElement("PlaylistName")]),
    http("a renamed element", "info-all", "GET", &[Change::Rename("FragCount", "FragmentCount")]),
    http("elements in a different order", "list-empty", "GET", &[Change::Swap("Prefix", "Marker")]),
    http(
        "a new element",
        "stat-idle",
        "GET",
        &[Change::Replace("</LiveChannelStat>", "<Age>1</Age></LiveChannelStat>")],
    ),
    http(
        "another root element",
        "history-empty",
        "GET",
        &[Change::Replace("LiveChannelHistory", "LiveHistory")],
    ),
    http(
        "a state spelled differently",
        "stat-disabled",
        "GET",
        &[Change::Text("Status", "disabled")],
    ),
    http("another default", "put-playlist-empty", "GET", &[Change::Text("PlaylistName", "a.m3u8")]),
    http(
        "a time in a different format",
        "list-channel",
        "GET",
        &[Change::Replace(".000Z", ".123Z")],
    ),
    http(
        "an id in a different format",
        "response-error-ids",
        "GET",
        &[Change::Text("RequestId", "0123")],
    ),
    http(
        "URLs with a different scheme",
        "name-space",
        "PUT",
        &[Change::Replace("rtmp://", "rtmps://")],
    ),
    http("URLs without encoding", "name-cjk", "PUT", &[Change::Replace("%E7%9B%B4", "直")]),
    http("another description", "list-escapes", "GET", &[Change::Text("Description", "a b")]),
    http(
        "a new element in an error",
        "delete-then-info",
        "GET",
        &[Change::Replace("</HostId>", "</HostId><Name>x</Name>")],
    ),
    // Listings.
    http(
        "names in a different order",
        "list-order",
        "GET",
        &[Change::Replace("list-outline-a</Name>", "list-outline-z</Name>")],
    ),
    http(
        "another next marker",
        "list-next-page",
        "GET",
        &[Change::Text("NextMarker", "list-outline-a")],
    ),
    http("no next marker", "list-first-page", "GET", &[Change::NoElement("NextMarker")]),
    http(
        "a page that claims to be the last",
        "list-marker-between",
        "GET",
        &[Change::Text("IsTruncated", "false")],
    ),
    // Limits with other values.
    http(
        "a higher limit",
        "put-frag-duration-101",
        "PUT",
        &[Change::Status(200), Change::Body(CREATED)],
    ),
    http(
        "a lower limit",
        "put-frag-count-100",
        "PUT",
        &[Change::Status(400), Change::Body(REFUSAL)],
    ),
    http(
        "a longer description",
        "put-description-129",
        "PUT",
        &[Change::Status(200), Change::Body(CREATED)],
    ),
    http(
        "a limit counted in characters",
        "put-description-64-wide",
        "PUT",
        &[Change::Status(400), Change::Body(REFUSAL)],
    ),
    http(
        "a larger page",
        "list-max-keys-1001",
        "GET",
        &[Change::Status(200), Change::Body(EMPTY_LIST)],
    ),
    http("longer names", "name-65", "PUT", &[Change::Status(200), Change::Body(CREATED)]),
    other(
        "a longer time range",
        "vod-over-a-day",
        "GET",
        "vod",
        &[Change::Text("EC", "0044-00000308")],
    ),
    http(
        "a longer URL lifetime",
        "v4-url-over-a-week",
        "GET",
        &[Change::Status(200), Change::Body(EMPTY_LIST)],
    ),
    http(
        "more clock skew accepted",
        "v4-date-late",
        "GET",
        &[Change::Status(200), Change::Body(EMPTY_LIST)],
    ),
    // Rejections that are accepted, and vice versa.
    http(
        "a wrong signature accepted",
        "v4-wrong",
        "GET",
        &[Change::Status(200), Change::Body(EMPTY_LIST)],
    ),
    http(
        "anonymous access",
        "anonymous-list",
        "GET",
        &[Change::Status(200), Change::Body(EMPTY_LIST)],
    ),
    http(
        "an invalid type accepted",
        "put-type-rtmp",
        "PUT",
        &[Change::Status(200), Change::Body(CREATED)],
    ),
    http(
        "a repeated deletion rejected",
        "delete-missing",
        "DELETE",
        &[Change::Status(404), Change::Body(REFUSAL)],
    ),
    other(
        "a playlist of a nonexistent channel",
        "vod-missing-channel",
        "GET",
        "vod",
        &[Change::Status(404), Change::Text("Code", "NoSuchLiveChannel")],
    ),
    // Headers.
    http("no Server header", "response-headers", "GET", &[Change::NoHeader("server")]),
    http("no EC header", "response-headers-of-error", "GET", &[Change::NoHeader("x-oss-ec")]),
    http(
        "another content type",
        "list-outline",
        "GET",
        &[Change::Header("content-type", "text/xml")],
    ),
    other(
        "another content type of playlists",
        "object-playlist",
        "GET",
        "playlist.m3u8",
        &[Change::Header("content-type", "application/x-mpegURL")],
    ),
    other(
        "a Cache-Control header",
        "object-playlist",
        "GET",
        "playlist.m3u8",
        &[Change::Header("cache-control", "no-store")],
    ),
    other(
        "no Content-Range header",
        "object-range",
        "GET",
        "playlist.m3u8",
        &[Change::NoHeader("content-range")],
    ),
    http(
        "CORS allowed for any origin",
        "cors-simple",
        "GET",
        &[Change::Header("access-control-allow-origin", "*")],
    ),
    other(
        "a preflight accepted",
        "cors-preflight",
        "OPTIONS",
        "playlist.m3u8",
        &[Change::Status(200), Change::Body(""), Change::NoHeader("content-type")],
    ),
    other(
        "an anonymous download accepted",
        "object-anonymous",
        "GET",
        "playlist.m3u8",
        &[Change::Status(200), Change::Body("#EXTM3U\n")],
    ),
    other(
        "different names of signed parameters",
        "hls-sign",
        "GET",
        "hls",
        &[Change::Replace("x-oss-expires", "Expires")],
    ),
    // No response, or not XML.
    http("a response beyond the time limit", "v4-spaces", "GET", &[Change::Hang]),
    http("a connection that is closed", "v4-date-within", "GET", &[Change::Cut]),
    http("an error without a body", "comp-unknown", "GET", &[Change::Body("")]),
    http("an HTML page", "query-unknown", "GET", &[Change::Body("<html>No.</html>")]),
];

/// Deviations of streams.
pub const STREAMS: &[Deviation] = &[
    rtmp("an expired URL accepted", "rtmp-expired", Push::Accept),
    rtmp("no signature required", "rtmp-unsigned", Push::Accept),
    rtmp("a wrong signature accepted over RTMP", "rtmp-signature-wrong", Push::Accept),
    rtmp("a disabled channel that accepts streams", "rtmp-disabled", Push::Accept),
    rtmp("a valid URL rejected", "rtmp-right", Push::Refuse("NetStream.Publish.BadName")),
    rtmp(
        "another code for a rejection",
        "rtmp-key-unknown",
        Push::Refuse("NetStream.Connect.Rejected"),
    ),
    rtmp("a rejection without a reason", "rtmp-missing-channel", Push::Close),
    rtmp("an unsigned parameter accepted", "rtmp-param-unsigned", Push::Accept),
    rtmp("an unsupported codec accepted", "rtmp-audio-mp3", Push::Accept),
    rtmp("a version 4 signature accepted", "rtmp-version-4", Push::Accept),
    http("another code while live", "live-put", "PUT", &[Change::Text("Code", "OperationDenied")]),
    http("another status while live", "live-delete", "DELETE", &[Change::Status(400)]),
    http(
        "a session in progress in the history",
        "live-history",
        "GET",
        &[Change::Replace("</LiveChannelHistory>", "<LiveRecord/></LiveChannelHistory>")],
    ),
    other(
        "a live playlist with an end",
        "ended-playlist",
        "GET",
        "playlist.m3u8",
        &[Change::Replace("#EXTM3U", "#EXTM3U\n#EXT-X-ENDLIST")],
    ),
    other(
        "a VOD playlist without an end",
        "ended-vod",
        "GET",
        "vod",
        &[Change::Replace("#EXT-X-ENDLIST\n", "")],
    ),
    other(
        "another content type of fragments",
        "live-fragment",
        "GET",
        ".ts",
        &[Change::Header("content-type", "video/mpeg")],
    ),
    http(
        "a history that outlives its channel",
        "recreated-history",
        "GET",
        &[Change::Replace("</LiveChannelHistory>", "<LiveRecord/></LiveChannelHistory>")],
    ),
];

/// A deviation that takes too long for `make test`.
pub const SLOW: &[Deviation] = &[Deviation {
    finds: &["disable-live-publisher"],
    ..rtmp("a publisher that is not disconnected", "disable-live", Push::Keep)
}];
