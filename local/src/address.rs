//! Resolves the bucket and key of a request, from host and path over HTTP and
//! from tcUrl, app and stream name over RTMP, and builds the URLs of a channel.

use crate::fault::Fault;
use crate::validate::{channel_not_utf8, check_channel};
use osslive::request::percent_encode;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The endpoint's names, and what they resolve to.
#[derive(Debug, Clone)]
pub struct Addressing {
    /// The endpoint's own name. Below it, `BUCKET.DOMAIN` is a bucket.
    pub domain: String,
    /// The bucket that custom domains are bound to, and that receives a stream
    /// published to `/live/CHANNEL` at the endpoint's own name.
    pub first_bucket: String,
    /// The custom domains, in upper or lower case.
    pub cnames: Vec<String>,
    /// Where the endpoint listens, for URLs when the host of a request does
    /// not resolve to the endpoint or has no port.
    pub listen: SocketAddr,
}

/// How a request names its bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// In the path, at an IP address or the endpoint's own name.
    Path,
    /// In the host, before the endpoint's own name.
    VirtualHosted,
    /// In the host, and possibly in the path too: the host is a bucket's host
    /// name at the public service. The vendor's SDK for Node.js sends it to an
    /// IP address whatever its URL says.
    Public,
    /// Implicitly: a custom domain is bound to the first bucket.
    Cname,
    /// None: the host is malformed or not one of the endpoint's names. A browser
    /// may send it for a site whose name was made to resolve to this machine
    /// (DNS rebinding), so HTTP requests to it are refused. Encoders may use any
    /// name, which then means the first bucket.
    Foreign,
}

/// The target of an HTTP request, before names are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// How the bucket was named.
    pub style: Style,
    /// The bucket; empty for the service itself.
    pub bucket: String,
    /// The key, decoded but not necessarily UTF-8; empty for the bucket itself.
    pub key: Vec<u8>,
}

impl Addressing {
    /// Resolves the Host header and the path of a request.
    ///
    /// An IP address, the endpoint's own name and `localhost` use path style.
    /// The path is decoded before it is split: the vendor's C SDK writes
    /// `/BUCKET%2FKEY`.
    ///
    /// # Errors
    ///
    /// 400 `InvalidURI` for a path with a malformed escape.
    pub fn resolve(&self, host: &str, path: &str) -> Result<Resource, Fault> {
        let (path, well_formed) = percent_decode(path);
        if !well_formed {
            return Err(invalid_uri());
        }
        let path = path.strip_prefix(b"/").unwrap_or(&path);
        let (first, rest) = match path.iter().position(|byte| *byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (path, &[][..]),
        };
        let (style, bucket) = self.bucket_of(host);
        let in_host = bucket.filter(|bucket| {
            // A key that begins with the bucket's own name is treated as a path
            // that contains the bucket; JavaScript's "undefined" is not a bucket.
            let in_path = first == bucket.as_bytes() || *bucket == "undefined";
            style != Style::Public || !in_path
        });
        let (bucket, key) = match in_host {
            Some(bucket) => (bucket.to_owned(), path),
            None => (String::from_utf8_lossy(first).into_owned(), rest),
        };
        Ok(Resource { style, bucket, key: key.to_vec() })
    }

    /// Returns the style of a host.
    pub fn style(&self, host: &str) -> Style {
        self.bucket_of(host).0
    }

    /// Returns the style of a host, and the bucket if the host determines it.
    fn bucket_of<'a>(&'a self, host: &'a str) -> (Style, Option<&'a str>) {
        let first = Some(self.first_bucket.as_str());
        let Some(name) = host_name(host) else { return (Style::Foreign, first) };
        let is = |own: &str| name.eq_ignore_ascii_case(own);
        if name.is_empty() || name.parse::<IpAddr>().is_ok() || is(&self.domain) || is("localhost")
        {
            return (Style::Path, None);
        }
        if self.cnames.iter().any(|cname| is(cname)) {
            return (Style::Cname, first);
        }
        if let Some(bucket) = strip_domain(name, &self.domain) {
            return (Style::VirtualHosted, Some(bucket));
        }
        match strip_domain(name, "aliyuncs.com").and_then(|name| name.split_once('.')) {
            Some((bucket, _)) => (Style::Public, Some(bucket)),
            None => (Style::Foreign, first),
        }
    }

    /// Returns the unsigned URL to publish a channel to, in the style of a
    /// request to `host`. The port is omitted if it is RTMP's default.
    pub fn publish_url(&self, host: &str, bucket: &str, channel: &str) -> String {
        let (authority, folder) = self.base(host, bucket, 1935);
        format!("rtmp://{authority}{folder}/live/{}", percent_encode(channel))
    }

    /// Returns the unsigned URL to play a channel from, in the style of a
    /// request to `host`.
    pub fn play_url(&self, host: &str, bucket: &str, channel: &str, playlist: &str) -> String {
        let (authority, folder) = self.base(host, bucket, 80);
        let (channel, playlist) = (percent_encode(channel), percent_encode(playlist));
        format!("http://{authority}{folder}/{channel}/{playlist}")
    }

    fn base(&self, host: &str, bucket: &str, default_port: u16) -> (String, String) {
        let folder = match self.style(host) {
            Style::Path | Style::Public | Style::Foreign => format!("/{bucket}"),
            Style::VirtualHosted | Style::Cname => String::new(),
        };
        let port = self.listen.port();
        let elsewhere = [Style::Public, Style::Foreign].contains(&self.style(host));
        let leads_here = !host.is_empty() && !elsewhere;
        let authority = match host {
            _ if !leads_here && self.listen.ip().is_unspecified() => {
                format!("{}:{port}", self.domain)
            }
            _ if !leads_here => self.listen.to_string(),
            _ if has_port(host) || port == default_port => host.to_owned(),
            _ => format!("{host}:{port}"),
        };
        (authority, folder)
    }
}

/// Returns the bucket that precedes `.DOMAIN` in a host name.
fn strip_domain<'a>(name: &'a str, domain: &str) -> Option<&'a str> {
    let dot = name.len().checked_sub(domain.len() + 1)?;
    let (bucket, rest) = name.split_at_checked(dot)?;
    (!bucket.is_empty() && rest.strip_prefix('.')?.eq_ignore_ascii_case(domain)).then_some(bucket)
}

/// Returns whether a host is a loopback name or address.
pub(crate) fn is_loopback(host: &str) -> bool {
    host_name(host).is_some_and(|name| {
        let address = name.parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.to_canonical().is_loopback())
    })
}

/// Returns the name or address in a host, without port and brackets; empty for
/// an empty host. Returns `None` for anything else: user information, a trailing
/// dot, anything but a port after a bracket, and an invalid port are refused, so
/// that no two parsers see different hosts.
pub(crate) fn host_name(host: &str) -> Option<&str> {
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_port = rest.strip_prefix(':').map_or(rest.is_empty(), is_port);
        return (is_port && address.parse::<Ipv6Addr>().is_ok()).then_some(address);
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return Some(host);
    }
    let name = match host.split_once(':') {
        Some((name, port)) if !name.is_empty() && is_port(port) => name,
        Some(_) => return None,
        None => host,
    };
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(allowed)
    };
    (name.is_empty() || name.split('.').all(is_label)).then_some(name)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(name, port)| {
        let bare_ipv6 = name.contains(':') && !name.ends_with(']');
        !bare_ipv6 && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Decodes percent escapes, once; `+` stays `+`. The flag is true if every `%`
/// began an escape; a `%` that did not is kept as it is.
pub(crate) fn percent_decode(text: &str) -> (Vec<u8>, bool) {
    let hex = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let bytes = text.as_bytes();
    let (mut decoded, mut well_formed) = (Vec::with_capacity(bytes.len()), true);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        if let (Some(high), Some(low)) = (hex(bytes.get(at)), hex(bytes.get(at + 1))) {
            decoded.push((high * 16 + low) as u8);
            at += 2;
        } else {
            decoded.push(b'%');
            well_formed = false;
        }
    }
    (decoded, well_formed)
}

/// Returns the fault for a path or query that cannot be decoded.
pub(crate) fn invalid_uri() -> Fault {
    Fault::new(400, "InvalidURI", "Couldn't parse the specified URI.")
}

/// The target of a publish request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishTarget {
    /// The bucket.
    pub bucket: String,
    /// The channel.
    pub channel: String,
    /// The playlist name in the URL, if any.
    pub playlist_name: Option<String>,
    /// The parameters of the URL, decoded, without repeated names.
    pub params: Vec<(String, String)>,
}

impl PublishTarget {
    /// Parses what an encoder sent: the `tcUrl` and `app` of its connect
    /// command, and the stream name of its publish command.
    ///
    /// Path and query may be split between app and stream name in any way;
    /// a parameter may be repeated with the same value. Everything is
    /// percent-decoded once and `+` stays `+`, so that both encoders that
    /// decode the URL and those that send it as typed work; a `%` that does
    /// not begin an escape is therefore kept as it is. Accepted paths are
    /// `live/CHANNEL` and, at an IP address or the endpoint's own name,
    /// `BUCKET/live/CHANNEL` and the C++ SDK's `live/BUCKET/CHANNEL`.
    ///
    /// The result is not yet trusted: `auth::authorize_publish` checks the
    /// signature and then the playlist name.
    ///
    /// # Errors
    ///
    /// 400 `InvalidArgument` for another application, and for a parameter with
    /// two values or one that is not UTF-8; `InvalidChannelName` for a channel
    /// that breaks the naming rules.
    pub fn parse(
        tc_url: &str,
        app: &str,
        stream: &str,
        addressing: &Addressing,
    ) -> Result<PublishTarget, Fault> {
        let (host, tc_query) = split_tc_url(tc_url);
        let (app, app_query) = split_query(app);
        let (stream, stream_query) = split_query(stream);
        let params = publish_params([stream_query, app_query, tc_query])?;

        let mut path = utf8(app)?.trim_matches('/').to_owned();
        if !path.is_empty() && !stream.is_empty() {
            path.push('/');
        }
        path.push_str(&utf8(stream)?);
        let (style, bucket) = addressing.bucket_of(host);
        let bucket = bucket.unwrap_or(&addressing.first_bucket);
        let segments: Vec<&str> = path.split('/').collect();
        let (bucket, channel) = match (style, segments.as_slice()) {
            (Style::Path, ["live", bucket, channel])
                if !bucket.is_empty() && !channel.is_empty() =>
            {
                (*bucket, channel.to_string())
            }
            (_, ["live", channel @ ..]) => (bucket, channel.join("/")),
            (Style::Path, [bucket, "live", channel @ ..]) => (*bucket, channel.join("/")),
            _ => return Err(wrong_application(&path)),
        };
        check_channel(&channel)?;
        let playlist_name = params
            .iter()
            .find(|(name, value)| name == "playlistName" && !value.is_empty())
            .map(|(_, value)| value.clone());
        Ok(PublishTarget { bucket: bucket.to_owned(), channel, playlist_name, params })
    }
}

fn wrong_application(path: &str) -> Fault {
    let path: String = path.chars().take(80).collect();
    let message = format!(
        "The application must be \"live\" or \"BUCKET/live\", followed by the channel; the path \
         was \"{path}\"."
    );
    Fault::new(400, "InvalidArgument", message)
}

/// Returns the host and the query of a tcUrl.
fn split_tc_url(tc_url: &str) -> (&str, &str) {
    let (url, query) = split_query(tc_url);
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    (authority.rsplit('@').next().unwrap_or_default(), query)
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

fn publish_params(queries: [&str; 3]) -> Result<Vec<(String, String)>, Fault> {
    let mut seen = HashMap::new();
    let mut params = Vec::new();
    for pair in queries.iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let fault =
            |rule| Fault::new(400, "InvalidArgument", format!("The parameter \"{name}\" {rule}."));
        let text = |text| {
            let bytes = percent_decode(text).0;
            String::from_utf8(bytes).map_err(|_| fault("must be percent-encoded UTF-8"))
        };
        let param = (text(name)?, text(value)?);
        match seen.insert(param.0.clone(), param.1.clone()) {
            None => params.push(param),
            Some(earlier) if earlier == param.1 => {}
            Some(_) => return Err(fault("has two values")),
        }
    }
    Ok(params)
}

fn utf8(text: &str) -> Result<String, Fault> {
    String::from_utf8(percent_decode(text).0).map_err(|_| channel_not_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressing() -> Addressing {
        Addressing {
            domain: "oss.test".into(),
            first_bucket: "first".into(),
            cnames: vec!["Live.Example.com".into(), "cdn.example".into()],
            listen: "127.0.0.1:9000".parse().unwrap(),
        }
    }

    fn resolve(host: &str, path: &str) -> (Style, String, String) {
        let resource = addressing().resolve(host, path).unwrap();
        (resource.style, resource.bucket, String::from_utf8(resource.key).unwrap())
    }

    #[test]
    fn host_and_path_resolve_to_bucket_and_key() {
        use Style::{Cname, Foreign, Path, Public, VirtualHosted};
        for (host, path, style, bucket, key) in [
            ("127.0.0.1:9000", "/", Path, "", ""),
            ("127.0.0.1:9000", "/demo", Path, "demo", ""),
            ("127.0.0.1", "/demo/", Path, "demo", ""),
            ("127.0.0.1", "/demo/a/b.ts", Path, "demo", "a/b.ts"),
            ("[::1]:9000", "/demo/a", Path, "demo", "a"),
            ("[::1]", "/demo/a", Path, "demo", "a"),
            ("::1", "/demo/a", Path, "demo", "a"),
            ("oss.test", "/demo/a", Path, "demo", "a"),
            ("OSS.Test:9000", "/demo/a", Path, "demo", "a"),
            ("localhost:9000", "/demo/a", Path, "demo", "a"),
            ("", "/demo/a", Path, "demo", "a"),
            ("127.0.0.1", "/demo%2Fa%2Fb", Path, "demo", "a/b"),
            ("127.0.0.1", "/demo/%E7%9B%B4+%20%2b", Path, "demo", "直+ +"),
            ("127.0.0.1", "//a", Path, "", "a"),
            ("demo.oss.test", "/", VirtualHosted, "demo", ""),
            ("demo.oss.test:9000", "/a/b", VirtualHosted, "demo", "a/b"),
            ("Demo.OSS.test", "/a", VirtualHosted, "Demo", "a"),
            ("a.b.oss.test", "/a", VirtualHosted, "a.b", "a"),
            ("demo.oss.test", "//a", VirtualHosted, "demo", "/a"),
            ("live.example.com", "/a/b", Cname, "first", "a/b"),
            ("live.example.com:9000", "/a/b", Cname, "first", "a/b"),
            ("xoss.test", "/a", Foreign, "first", "a"),
            (".oss.test", "/a", Foreign, "first", "a"),
            ("é.oss.test", "/a", Foreign, "first", "a"),
            ("www.live.example.com", "/a", Foreign, "first", "a"),
            ("demo.oss-cn-hangzhou.aliyuncs.com", "/demo/a", Public, "demo", "a"),
            ("demo.oss-cn-hangzhou.aliyuncs.com", "/demo/", Public, "demo", ""),
            ("demo.oss-cn-hangzhou.aliyuncs.com", "/a/b", Public, "demo", "a/b"),
            ("demo.oss-cn-hangzhou.aliyuncs.com", "/", Public, "demo", ""),
            ("undefined.oss-cn-hangzhou.aliyuncs.com", "/", Public, "", ""),
            ("undefined.oss-cn-hangzhou.aliyuncs.com", "/demo/", Public, "demo", ""),
        ] {
            assert_eq!(resolve(host, path), (style, bucket.into(), key.into()), "{host} {path}");
        }
    }

    #[test]
    fn a_host_must_be_exactly_one_name_or_address() {
        for (host, name) in [
            ("", Some("")),
            ("127.0.0.1:9000", Some("127.0.0.1")),
            ("[::1]:9000", Some("::1")),
            ("[::1]", Some("::1")),
            ("::1", Some("::1")),
            ("a_b.c-d:1", Some("a_b.c-d")),
            ("[::1].evil.example", None),
            ("[::1]evil", None),
            ("[::1]:", None),
            ("[::1]:65536", None),
            ("[::1%25lo]", None),
            ("[127.0.0.1]", None),
            ("[evil.example]", None),
            ("[::1", None),
            ("a:b@127.0.0.1", None),
            ("127.0.0.1@evil.example", None),
            ("localhost.", None),
            ("localhost..", None),
            ("a..b", None),
            (".", None),
            (":9000", None),
            ("localhost:", None),
            ("localhost:+1", None),
            ("localhost:1:2", None),
            ("localhost:99999", None),
            ("localhost/a", None),
            ("local host", None),
            ("localhost,evil.example", None),
            ("é.example", None),
        ] {
            assert_eq!(host_name(host), name, "{host}");
        }
    }

    #[test]
    fn only_loopback_names_and_addresses_are_loopback() {
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:9000",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "localhost.",
            "localhost.evil.example",
            "a.localhost",
            "127.0.0.1.evil.example",
            "127.0.0.1.",
            "127.1",
            "0.0.0.0",
            "[::]",
            "[::1].evil.example",
            "10.0.0.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_malformed_escape_is_an_invalid_uri() {
        for path in ["/demo/%", "/demo/%4", "/demo/%zz", "/demo/%+1"] {
            let fault = addressing().resolve("127.0.0.1", path).unwrap_err();
            assert_eq!((fault.status, fault.code), (400, "InvalidURI"), "{path}");
        }
    }

    #[test]
    fn urls_follow_the_style_of_the_request_and_always_have_the_port() {
        for (host, publish, play) in [
            (
                "127.0.0.1:9000",
                "rtmp://127.0.0.1:9000/b/live/c%20d",
                "http://127.0.0.1:9000/b/c%20d/p.m3u8",
            ),
            ("[::1]:9000", "rtmp://[::1]:9000/b/live/c%20d", "http://[::1]:9000/b/c%20d/p.m3u8"),
            (
                "b.oss.test:9000",
                "rtmp://b.oss.test:9000/live/c%20d",
                "http://b.oss.test:9000/c%20d/p.m3u8",
            ),
            (
                "b.oss.test",
                "rtmp://b.oss.test:9000/live/c%20d",
                "http://b.oss.test:9000/c%20d/p.m3u8",
            ),
            (
                "cdn.example",
                "rtmp://cdn.example:9000/live/c%20d",
                "http://cdn.example:9000/c%20d/p.m3u8",
            ),
            ("", "rtmp://127.0.0.1:9000/b/live/c%20d", "http://127.0.0.1:9000/b/c%20d/p.m3u8"),
            (
                "b.oss-cn-hangzhou.aliyuncs.com",
                "rtmp://127.0.0.1:9000/b/live/c%20d",
                "http://127.0.0.1:9000/b/c%20d/p.m3u8",
            ),
        ] {
            let addressing = addressing();
            assert_eq!(addressing.publish_url(host, "b", "c d"), publish);
            assert_eq!(addressing.play_url(host, "b", "c d", "p.m3u8"), play);
        }
        let listen = |listen: &str| Addressing { listen: listen.parse().unwrap(), ..addressing() };
        let play = listen("127.0.0.1:80").play_url("cdn.example", "b", "c", "p.m3u8");
        assert_eq!(play, "http://cdn.example/c/p.m3u8");
        let publish = |address| listen(address).publish_url("cdn.example", "b", "c");
        assert_eq!(publish("127.0.0.1:80"), "rtmp://cdn.example:80/live/c");
        assert_eq!(publish("127.0.0.1:1935"), "rtmp://cdn.example/live/c");
        let publish = listen("0.0.0.0:9000").publish_url("", "b", "c");
        assert_eq!(publish, "rtmp://oss.test:9000/b/live/c");
    }

    fn publish(tc_url: &str, app: &str, stream: &str) -> Result<(String, String), Fault> {
        PublishTarget::parse(tc_url, app, stream, &addressing())
            .map(|target| (target.bucket, target.channel))
    }

    #[test]
    fn every_known_form_of_a_publish_url_resolves_to_bucket_and_channel() {
        for (tc_url, app, stream, bucket, channel) in [
            ("rtmp://127.0.0.1:9000/live", "live", "ch", "first", "ch"),
            ("rtmp://127.0.0.1:9000/live/", "live/", "ch", "first", "ch"),
            ("rtmp://127.0.0.1/demo/live", "demo/live", "ch", "demo", "ch"),
            ("rtmp://127.0.0.1/demo", "demo", "live/ch", "demo", "ch"),
            ("rtmp://127.0.0.1/live/demo", "live/demo", "ch", "demo", "ch"),
            ("rtmp://127.0.0.1/live", "live", "demo/ch", "demo", "ch"),
            ("rtmp://127.0.0.1/demo%2Flive%2Fch", "demo%2Flive%2Fch", "", "demo", "ch"),
            ("rtmp://127.0.0.1/", "", "demo/live/ch", "demo", "ch"),
            ("rtmp://127.0.0.1/demo", "demo", "live%2Fch", "demo", "ch"),
            ("rtmp://demo.oss.test/live", "live", "ch", "demo", "ch"),
            ("rtmp://demo.oss.test:1935/live%2Fch", "live%2Fch", "", "demo", "ch"),
            ("rtmp://demo.oss.test/", "", "live%2Fch", "demo", "ch"),
            ("rtmp://demo.oss-cn-hangzhou.aliyuncs.com/live", "live", "ch", "demo", "ch"),
            ("RTMP://user@demo.oss.test/live", "live", "%E7%9B%B4 1", "demo", "直 1"),
            ("rtmp://ingest.example.com/live", "live", "a+b%2B", "first", "a+b+"),
            ("rtmp://demo.oss.test/live?a=b", "live?a=b", "ch", "demo", "ch"),
            ("rtmp://127.0.0.1/live", "live", "100%", "first", "100%"),
            ("", "live", "ch", "first", "ch"),
            ("nonsense", "demo/live", "ch", "demo", "ch"),
        ] {
            let found = publish(tc_url, app, stream);
            assert_eq!(found, Ok((bucket.into(), channel.into())), "{tc_url} {app} {stream}");
        }
    }

    #[test]
    fn an_invalid_publish_path_is_refused_with_its_reason() {
        for (tc_url, app, stream, code) in [
            ("rtmp://127.0.0.1/vod", "vod", "ch", "InvalidArgument"),
            ("rtmp://127.0.0.1/", "", "", "InvalidArgument"),
            ("rtmp://127.0.0.1/a/b", "a/b", "ch", "InvalidArgument"),
            ("rtmp://demo.oss.test/demo/live", "demo/live", "ch", "InvalidArgument"),
            ("rtmp://127.0.0.1/live", "live", "", "InvalidChannelName"),
            ("rtmp://127.0.0.1/demo/live", "demo/live", "", "InvalidChannelName"),
            ("rtmp://127.0.0.1/demo/live", "demo/live", "ch/", "InvalidChannelName"),
            ("rtmp://127.0.0.1/live", "live", "/ch", "InvalidChannelName"),
            ("rtmp://demo.oss.test/live", "live", "a/b", "InvalidChannelName"),
            ("rtmp://127.0.0.1/live", "live", "%ff", "InvalidChannelName"),
        ] {
            let fault = publish(tc_url, app, stream).unwrap_err();
            assert_eq!((fault.status, fault.code), (400, code), "{tc_url} {app} {stream}");
        }
    }

    #[test]
    fn parameters_are_decoded_once_and_may_be_repeated_with_the_same_value() {
        let target = PublishTarget::parse(
            "rtmp://127.0.0.1/live?x=++%252F",
            "live?Signature=a/b%2Bc%3D&only=a",
            "ch?x=%2B+%252F&Signature=a/b+c=&&bare&bare=&playlistName=p.m3u8",
            &addressing(),
        )
        .unwrap();
        let params: Vec<_> =
            target.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            params,
            [
                ("x", "++%2F"),
                ("Signature", "a/b+c="),
                ("bare", ""),
                ("playlistName", "p.m3u8"),
                ("only", "a"),
            ]
        );
        assert_eq!(target.playlist_name.as_deref(), Some("p.m3u8"));
    }

    #[test]
    fn a_parameter_with_two_values_or_invalid_utf8_is_refused() {
        for (tc_url, app, stream) in [
            ("rtmp://127.0.0.1/live", "live", "ch?x=1&x=2"),
            ("rtmp://127.0.0.1/live", "live?x=1", "ch?x=2"),
            ("rtmp://127.0.0.1/live?x=1", "live", "ch?x"),
            ("rtmp://127.0.0.1/live?x=1", "live?x=2", "ch"),
            ("rtmp://127.0.0.1/live", "live", "ch?x=1&%78=2"),
            ("rtmp://127.0.0.1/live", "live", "ch?x=%ff"),
            ("rtmp://127.0.0.1/live", "live", "ch?%fe=1"),
        ] {
            let fault = publish(tc_url, app, stream).unwrap_err();
            assert_eq!(fault.code, "InvalidArgument", "{tc_url} {app} {stream}");
        }
    }
}
