//! The address of a bucket: region, host and addressing style, and the URLs built
//! from them.

use crate::error::{Error, ErrorKind, Result};
use crate::request::{Param, push_encoded, push_encoded_path};
use crate::spelling::spelling;
use std::net::{IpAddr, Ipv6Addr};

/// Room for the rest of a publish URL, including a signature without parameters.
const ROOM: usize = 256;

/// Where the bucket appears in URLs. The signature is the same in all three styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressingStyle {
    /// `https://BUCKET.ENDPOINT/KEY`: the only style the public service accepts.
    VirtualHosted,
    /// `https://ENDPOINT/BUCKET/KEY`: for IP addresses and private gateways.
    Path,
    /// `https://CUSTOM-DOMAIN/KEY`: a custom domain bound to the bucket.
    Cname,
}

spelling!(AddressingStyle, "addressing style", Error::invalid, {
    VirtualHosted = "virtual",
    Path = "path",
    Cname = "cname",
});

/// A bucket at a host; builds URLs for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    secure: bool,
    host: String,
    bucket: String,
    style: AddressingStyle,
}

impl Endpoint {
    /// Parses an endpoint: `HOST`, `HOST:PORT`, or either with `http://` or
    /// `https://`, which overrides `secure`.
    ///
    /// The default style is path for IP addresses, for names without a dot, such as
    /// `localhost` or a container's, and for the names by which containers reach
    /// their host; virtual-hosted otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the endpoint is not a host, or the bucket name is
    /// invalid (3 to 63 of `a-z`, `0-9`, `-`, not starting or ending with `-`).
    pub fn new(
        endpoint: &str,
        bucket: &str,
        secure: bool,
        style: Option<AddressingStyle>,
    ) -> Result<Self> {
        let (secure, host) = match endpoint.trim().split_once("://") {
            None => (secure, endpoint.trim()),
            Some((scheme, host)) if scheme.eq_ignore_ascii_case("https") => (true, host),
            Some((scheme, host)) if scheme.eq_ignore_ascii_case("http") => (false, host),
            Some((scheme, _)) => {
                return Err(config(format!(
                    "the endpoint's scheme {scheme:?} is not http or https"
                )));
            }
        };
        let host = host.strip_suffix('/').unwrap_or(host).to_ascii_lowercase();
        check_host(&host)?;
        check_bucket(bucket)?;
        let style = style.unwrap_or_else(|| {
            if is_local(&host) { AddressingStyle::Path } else { AddressingStyle::VirtualHosted }
        });
        if style == AddressingStyle::VirtualHosted && is_ip(&host) {
            return Err(config(format!(
                "virtual-hosted addressing needs a host name, but the endpoint is the IP address {host}"
            )));
        }
        Ok(Endpoint { secure, host, bucket: bucket.to_owned(), style })
    }

    /// Returns the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the addressing style.
    pub fn style(&self) -> AddressingStyle {
        self.style
    }

    /// Returns whether requests use TLS.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Returns the URL of a key with a query.
    pub fn url(&self, key: &str, query: &[Param]) -> String {
        let lengths = query.iter().map(|(n, v)| n.len() + v.as_ref().map_or(0, String::len) + 1);
        let mut url = String::with_capacity(192 + 3 * (key.len() + lengths.sum::<usize>()));
        url.push_str(if self.secure { "https://" } else { "http://" });
        self.push_authority(&mut url, &self.host);
        url.push('/');
        if self.style == AddressingStyle::Path {
            url.push_str(&self.bucket);
            url.push('/');
        }
        push_encoded_path(&mut url, key);
        let mut separator = '?';
        for (name, value) in query {
            url.push(separator);
            separator = '&';
            push_encoded(&mut url, name);
            if let Some(value) = value {
                url.push('=');
                push_encoded(&mut url, value);
            }
        }
        url
    }

    /// Returns the unsigned publish URL of a channel. The endpoint's port is kept,
    /// for local endpoints, unless it is the default of HTTP or HTTPS.
    pub fn publish_url(&self, channel: &str) -> String {
        let names = self.host.len() + self.bucket.len() + 3 * channel.len();
        let mut url = String::with_capacity(names + ROOM);
        let host = match self.host.rsplit_once(':') {
            Some((host, "80" | "443")) => host,
            _ => &self.host,
        };
        url.push_str("rtmp://");
        self.push_authority(&mut url, host);
        if self.style == AddressingStyle::Path {
            url.push('/');
            url.push_str(&self.bucket);
        }
        url.push_str("/live/");
        push_encoded(&mut url, channel);
        url
    }

    fn push_authority(&self, url: &mut String, host: &str) {
        if self.style == AddressingStyle::VirtualHosted {
            url.push_str(&self.bucket);
            url.push('.');
        }
        url.push_str(host);
    }
}

/// Returns the public or internal host of a region: `oss-cn-hangzhou.aliyuncs.com`
/// for `cn-hangzhou` or `oss-cn-hangzhou`.
pub fn host_of_region(region: &str, internal: bool) -> String {
    let region = bare_region(region);
    let internal = if internal { "-internal" } else { "" };
    format!("oss-{region}{internal}.aliyuncs.com")
}

/// Returns a region without the prefix of its older spelling.
pub fn bare_region(region: &str) -> &str {
    region.strip_prefix("oss-").unwrap_or(region)
}

/// Infers the region from an endpoint of the service:
/// `oss-R[-internal].aliyuncs.com` or `R.oss.aliyuncs.com`.
///
/// ```
/// use osslive::endpoint::region_of;
/// assert_eq!(region_of("https://oss-cn-hangzhou-internal.aliyuncs.com"), Some("cn-hangzhou"));
/// assert_eq!(region_of("live.example.com"), None);
/// ```
pub fn region_of(endpoint: &str) -> Option<&str> {
    ServiceHost::of(endpoint)?.region
}

/// The parts of one of the service's own host names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceHost<'a> {
    /// The bucket, if the host belongs to one.
    pub(crate) bucket: Option<&'a str>,
    /// The host below the bucket, without a port.
    pub(crate) host: &'a str,
    /// The region, unless the host serves all of them.
    pub(crate) region: Option<&'a str>,
    /// Whether it can be reached only from inside the service's network.
    pub(crate) is_internal: bool,
}

impl<'a> ServiceHost<'a> {
    /// Splits an endpoint into its parts: `[BUCKET.]oss-R[-internal].aliyuncs.com`,
    /// `[BUCKET.]R.oss.aliyuncs.com`, and the acceleration hosts and those of the
    /// oldest region. Returns `None` for any other host.
    pub(crate) fn of(endpoint: &'a str) -> Option<Self> {
        let host = endpoint.trim().rsplit("://").next()?.split(['/', ':']).next()?;
        let name = strip_suffix_ignoring_case(host, ".aliyuncs.com")?;
        let (name, is_internal) = match name.strip_suffix("-internal") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (before, last) = name.rsplit_once('.').unwrap_or(("", name));
        let (bucket, region) = match last {
            "oss" if before.is_empty() => ("", Some("cn-hangzhou")),
            // Dual stack: the region comes first.
            "oss" => {
                let (bucket, region) = before.rsplit_once('.').unwrap_or(("", before));
                (bucket, Some(region))
            }
            "oss-accelerate" | "oss-accelerate-overseas" => (before, None),
            _ => (before, Some(last.strip_prefix("oss-")?)),
        };
        if region.is_some_and(|region| !is_region(region)) || bucket.contains('.') {
            return None;
        }
        let bucket = Some(bucket).filter(|bucket| !bucket.is_empty());
        let host = bucket.map_or(host, |bucket| &host[bucket.len() + 1..]);
        Some(ServiceHost { bucket, host, region, is_internal })
    }
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (before, end) = text.split_at_checked(at)?;
    end.eq_ignore_ascii_case(suffix).then_some(before)
}

/// Returns whether a string looks like a region: letters, digits and hyphens.
pub(crate) fn is_region(region: &str) -> bool {
    !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn check_host(host: &str) -> Result<()> {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'[' | b']');
    if host.is_empty() {
        return Err(config("the endpoint is empty"));
    }
    if !host.bytes().all(allowed) {
        return Err(config(format!("endpoint {host:?}: must be a host name")));
    }
    let (name, port) = split_port(host);
    let is_bracketed = name.starts_with('[');
    if name.contains(':') && !is_bracketed {
        let (address, port) = match name.parse::<Ipv6Addr>() {
            Ok(_) => (name, port.map(|port| format!(":{port}")).unwrap_or_default()),
            Err(_) => (host, String::new()),
        };
        return Err(config(format!(
            "endpoint {host:?}: must be a host name; put an IPv6 address in brackets: \
             [{address}]{port}"
        )));
    }
    let has_more = port.is_none() && name.len() < host.len();
    if name.is_empty() || (is_bracketed && !is_ip(name)) || has_more || name[1..].contains('[') {
        return Err(config(format!("endpoint {host:?}: must be a host name")));
    }
    match port {
        Some(port) if port.parse::<u16>().is_err() || port == "0" => {
            Err(config(format!("endpoint port {port:?}: must be 1 to 65535")))
        }
        _ => Ok(()),
    }
}

fn check_bucket(bucket: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_valid = (3..=63).contains(&bucket.len())
        && bucket.bytes().all(allowed)
        && !bucket.starts_with('-')
        && !bucket.ends_with('-');
    if is_valid {
        return Ok(());
    }
    if bucket.is_empty() {
        return Err(config("no bucket is configured").with_code(crate::error::code::NO_BUCKET));
    }
    Err(config(format!(
        "bucket name {bucket:?}: must be 3 to 63 of a-z, 0-9 and -, with a letter or digit at both ends"
    ))
    .with_code(crate::error::code::INVALID_BUCKET_NAME))
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    if let Some(end) = host.rfind(']') {
        return (&host[..=end], host[end + 1..].strip_prefix(':'));
    }
    host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)))
}

fn is_ip(host: &str) -> bool {
    let (name, _) = split_port(host);
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

/// Returns whether a bucket cannot be prepended to a host.
fn is_local(host: &str) -> bool {
    let name = split_port(host).0;
    is_ip(host)
        || !name.trim_end_matches('.').contains('.')
        || matches!(name, "host.docker.internal" | "host.containers.internal")
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint::new(host, "live-demo", true, None).unwrap()
    }

    #[test]
    fn the_public_service_uses_virtual_hosted_addressing() {
        let endpoint = endpoint("oss-cn-hangzhou.aliyuncs.com");
        assert_eq!(
            endpoint.url("cam 1", &[("live".into(), None), ("comp".into(), Some("stat".into()))]),
            "https://live-demo.oss-cn-hangzhou.aliyuncs.com/cam%201?live&comp=stat"
        );
        assert_eq!(
            endpoint.publish_url("cam 1"),
            "rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live/cam%201"
        );
    }

    #[test]
    fn ip_addresses_and_localhost_use_path_style() {
        for host in ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"] {
            let endpoint = endpoint(&format!("http://{host}"));
            assert_eq!(endpoint.url("ch", &[]), format!("http://{host}/live-demo/ch"));
            assert_eq!(endpoint.publish_url("ch"), format!("rtmp://{host}/live-demo/live/ch"));
        }
    }

    #[test]
    fn a_cname_has_no_bucket_in_its_urls() {
        let style = Some(AddressingStyle::Cname);
        let endpoint = Endpoint::new("live.example.com", "live-demo", false, style).unwrap();
        assert_eq!(endpoint.url("ch", &[]), "http://live.example.com/ch");
        assert_eq!(endpoint.publish_url("ch"), "rtmp://live.example.com/live/ch");
    }

    #[test]
    fn a_scheme_in_the_endpoint_wins_and_a_trailing_slash_is_dropped() {
        assert!(!endpoint("HTTP://OSS-cn-beijing.aliyuncs.com/").secure());
        assert!(endpoint("https://oss-cn-beijing.aliyuncs.com").secure());
    }

    #[test]
    fn an_http_port_is_not_an_rtmp_port() {
        assert_eq!(
            endpoint("oss-cn-beijing.aliyuncs.com:443").publish_url("ch"),
            "rtmp://live-demo.oss-cn-beijing.aliyuncs.com/live/ch"
        );
    }

    #[test]
    fn invalid_hosts_are_rejected_with_a_reason() {
        for host in [
            "",
            "http://",
            "ftp://host",
            "a b",
            "host/path",
            "host:0",
            "host:x",
            ":80",
            "::1",
            "[host]",
            "[::1]x",
            "[::1][::1]",
            "a[::1]",
        ] {
            let error = Endpoint::new(host, "live-demo", true, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{host}");
            assert!(error.message().contains("endpoint"), "{host}: {error}");
        }
    }

    #[test]
    fn bucket_names_follow_the_rules_of_the_service() {
        let long = "a".repeat(64);
        for bucket in ["", "ab", "Upper", "a_b", "-ab", "ab-", "a.b", long.as_str()] {
            let error = Endpoint::new("host", bucket, true, None).unwrap_err();
            assert!(error.message().contains("bucket"), "{bucket}: {error}");
        }
        assert!(Endpoint::new("host", &"a".repeat(63), true, None).is_ok());
    }

    #[test]
    fn an_ip_address_cannot_be_virtual_hosted() {
        let style = Some(AddressingStyle::VirtualHosted);
        assert!(Endpoint::new("127.0.0.1", "live-demo", true, style).is_err());
    }

    #[test]
    fn the_region_is_inferred_from_hosts_that_contain_one() {
        for (host, region) in [
            ("oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou")),
            ("http://oss-us-west-1-internal.aliyuncs.com/", Some("us-west-1")),
            ("cn-shanghai.oss.aliyuncs.com:443", Some("cn-shanghai")),
            ("oss.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-internal.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-accelerate.aliyuncs.com", None),
            ("127.0.0.1:9000", None),
            ("live.example.com", None),
        ] {
            assert_eq!(region_of(host), region, "{host}");
        }
    }

    #[test]
    fn a_region_gives_its_host_in_either_spelling() {
        assert_eq!(host_of_region("cn-hangzhou", false), "oss-cn-hangzhou.aliyuncs.com");
        assert_eq!(
            host_of_region("oss-cn-hangzhou", true),
            "oss-cn-hangzhou-internal.aliyuncs.com"
        );
    }

    #[test]
    fn a_host_of_the_service_is_split_into_its_parts() {
        let parts =
            |host| ServiceHost::of(host).map(|found| (found.bucket, found.host, found.is_internal));
        let host = "oss-cn-beijing.aliyuncs.com";
        assert_eq!(parts(host), Some((None, host, false)));
        assert_eq!(
            parts("https://b.oss-cn-beijing.aliyuncs.com/x"),
            Some((Some("b"), host, false))
        );
        let dual = "cn-beijing.oss.aliyuncs.com";
        assert_eq!(parts("b.cn-beijing.oss.aliyuncs.com"), Some((Some("b"), dual, false)));
        let internal = "oss-cn-beijing-internal.aliyuncs.com";
        assert_eq!(parts(internal), Some((None, internal, true)));
        for other in
            ["a.b.oss-cn-beijing.aliyuncs.com", "oss-.aliyuncs.com", "oss-cn_beijing.aliyuncs.com"]
        {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
