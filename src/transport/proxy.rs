//! Selects the proxy for a host, by the same rules as curl.
//!
//! Source: curl(1), ENVIRONMENT and `--noproxy`; `tests/proxy.rs` compares each case
//! with curl itself.

use crate::error::{Error, ErrorKind, Result};
use crate::request::percent_decode;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ureq::ProxyProtocol;
use ureq::http::Uri;
use zeroize::Zeroizing;

/// Which proxy to use.
#[derive(Clone, Default)]
pub(crate) enum ProxyChoice {
    /// The environment's proxy, but none for this machine itself.
    #[default]
    Environment,
    None,
    Url(String),
}

impl fmt::Debug for ProxyChoice {
    // A proxy's URL may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProxyChoice::Environment => "Environment",
            ProxyChoice::None => "None",
            ProxyChoice::Url(_) => "Url(..)",
        })
    }
}

/// A proxy as fuzz targets see it.
#[cfg(feature = "fuzzing")]
#[derive(Debug, PartialEq)]
pub struct ChosenProxy {
    /// Host and port.
    pub authority: String,
    /// Where it is connected to.
    pub uri: String,
    /// What follows `Proxy-Authorization: Basic`.
    pub credentials: Option<String>,
}

#[cfg(feature = "fuzzing")]
impl ChosenProxy {
    /// As [`Proxy::choose`].
    pub(crate) fn of(
        choice: &ProxyChoice,
        secure: bool,
        host: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        let chosen = Proxy::choose(choice, secure, host, variable)?;
        Ok(chosen.map(|proxy| ChosenProxy {
            authority: proxy.authority().to_owned(),
            uri: proxy.uri().to_string(),
            credentials: proxy.credentials().map(str::to_owned),
        }))
    }
}

/// A proxy, with its user's credentials.
#[derive(Clone)]
pub(super) struct Proxy {
    protocol: ProxyProtocol,
    /// Host and port.
    authority: String,
    uri: Uri,
    user: Option<(String, Zeroizing<String>)>,
    /// The value after `Proxy-Authorization: Basic`.
    credentials: Option<Zeroizing<String>>,
}

impl Proxy {
    /// Returns the proxy for a host; `secure` means HTTPS.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a proxy that cannot be used: connecting
    /// directly instead could violate a network's policy.
    pub(super) fn choose(
        choice: &ProxyChoice,
        secure: bool,
        host: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        let (source, url) = match choice {
            ProxyChoice::None => return Ok(None),
            ProxyChoice::Url(url) => ("proxy", url.clone()),
            ProxyChoice::Environment if is_loopback(host) => return Ok(None),
            ProxyChoice::Environment => match from_environment(secure, host, variable) {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        // The URL is not shown: it may contain a password.
        let parsed = Self::parse(&url).map_err(|reason| {
            Error::new(
                ErrorKind::Config,
                format!("{source}: {reason}; use a URL such as http://HOST:PORT"),
            )
        })?;
        Ok(Some(parsed))
    }

    fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let protocol = match &*scheme.to_ascii_lowercase() {
            "http" => ProxyProtocol::Http,
            "https" if cfg!(any(feature = "tls", feature = "native-tls")) => ProxyProtocol::Https,
            "socks" | "socks4" => ProxyProtocol::Socks4,
            "socks4a" => ProxyProtocol::Socks4A,
            "socks5" => ProxyProtocol::Socks5,
            "socks5h" => ProxyProtocol::Socks5h,
            _ => return Err("must be the URL of an HTTP or SOCKS proxy".to_owned()),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, address) = match authority.split_once('@') {
            Some((user, address)) => (Some(user_of(user)?), address),
            None => (None, authority),
        };
        let default = if protocol == ProxyProtocol::Https { 443 } else { 1080 };
        let authority = authority_of(address, default)?;
        let scheme = if protocol == ProxyProtocol::Https { "https" } else { "http" };
        let uri = format!("{scheme}://{authority}/").parse();
        let credentials = user.as_ref().map(|(name, password)| {
            let text = Zeroizing::new([name.as_str(), ":", password.as_str()].concat());
            Zeroizing::new(BASE64_STANDARD.encode(text.as_bytes()))
        });
        let uri = uri.map_err(|_| "its host is invalid")?;
        Ok(Proxy { protocol, authority, uri, user, credentials })
    }

    /// Returns host and port, for messages.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns whether requests without TLS are sent to it with absolute URLs instead
    /// of through a tunnel.
    pub(super) fn takes_urls(&self) -> bool {
        matches!(self.protocol, ProxyProtocol::Http | ProxyProtocol::Https)
    }

    /// Returns the proxy's own address.
    pub(super) fn uri(&self) -> Uri {
        self.uri.clone()
    }

    /// What follows `Proxy-Authorization: Basic`.
    pub(super) fn credentials(&self) -> Option<&str> {
        self.credentials.as_ref().map(|credentials| credentials.as_str())
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.user.as_ref().map(|(_, password)| password.as_str())
    }

    pub(super) fn to_ureq(&self) -> Result<ureq::Proxy> {
        let (host, port) = self.authority.rsplit_once(':').unwrap_or((&self.authority, "1080"));
        let mut proxy = ureq::Proxy::builder(self.protocol).host(host);
        proxy = proxy.port(port.parse().unwrap_or(1080));
        if let Some((name, password)) = &self.user {
            proxy = proxy.username(name).password(password);
        }
        let config = |_| Error::new(ErrorKind::Config, "proxy: invalid address");
        proxy.build().map_err(config)
    }
}

fn user_of(text: &str) -> Result<(String, Zeroizing<String>), String> {
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    let decode = |text: &str| String::from_utf8(percent_decode(text.as_bytes()));
    match (decode(name), decode(password)) {
        (Ok(name), Ok(password)) => Ok((name, Zeroizing::new(password))),
        _ => Err("its user name or password is not UTF-8".to_owned()),
    }
}

fn authority_of(address: &str, default: u16) -> Result<String, String> {
    let end = address.find(']').map_or(0, |end| end + 1);
    let (host, port) = match address[end..].split_once(':') {
        Some((rest, port)) => (&address[..end + rest.len()], Some(port)),
        None => (address, None),
    };
    let is_named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(ip) => ip.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(is_named),
    };
    if !is_host {
        return Err("its host is missing or invalid".to_owned());
    }
    let port = match port.filter(|port| !port.is_empty()) {
        None => default,
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or("its port must be a number from 1 to 65535")?,
    };
    Ok(format!("{host}:{port}"))
}

/// Returns the variable that sets the proxy, and its value.
fn from_environment(
    secure: bool,
    host: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let first = |names: &[&'static str]| {
        names.iter().find_map(|name| {
            variable(name).filter(|value| !value.is_empty()).map(|value| (*name, value))
        })
    };
    if first(&["no_proxy", "NO_PROXY"]).is_some_and(|(_, list)| is_excluded(host, &list)) {
        return None;
    }
    // A web server passes the header `Proxy:` of a request to a CGI program as
    // HTTP_PROXY, which is also http_proxy if names are case-insensitive.
    let is_cgi = cfg!(windows) && variable("REQUEST_METHOD").is_some();
    first(match (secure, is_cgi) {
        (true, _) => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        (false, false) => &["http_proxy", "all_proxy", "ALL_PROXY"],
        (false, true) => &["all_proxy", "ALL_PROXY"],
    })
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_loopback(host: &str) -> bool {
    match bare(host).parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// Returns whether a list of hosts without a proxy contains this one.
fn is_excluded(host: &str, list: &str) -> bool {
    if list == "*" {
        return true;
    }
    let ip: Option<IpAddr> = bare(host).parse().ok();
    let mut entries = list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
    entries.any(|entry| match ip {
        Some(IpAddr::V4(ip)) => matches_network(entry, 32, |network: Ipv4Addr, bits| {
            let shift = 32 - bits;
            (u32::from(ip) ^ u32::from(network)) >> shift == 0
        }),
        Some(IpAddr::V6(ip)) => matches_network(entry, 128, |network: Ipv6Addr, bits| {
            let shift = 128 - bits;
            (u128::from(ip) ^ u128::from(network)) >> shift == 0
        }),
        None => is_in_domain(host, entry),
    })
}

/// Returns whether `ADDRESS` or `ADDRESS/BITS` matches; 0 bits mean all.
fn matches_network<A: std::str::FromStr>(
    entry: &str,
    all: u32,
    is_in: impl Fn(A, u32) -> bool,
) -> bool {
    let (address, bits) = entry.split_once('/').unwrap_or((entry, "0"));
    let digits = bits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let bits = match digits.parse().unwrap_or(0) {
        0 => all,
        bits => bits,
    };
    bits <= all && address.parse().is_ok_and(|address| is_in(address, bits))
}

fn is_in_domain(host: &str, domain: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
    let domain = domain.strip_prefix('.').unwrap_or(&domain);
    host.strip_suffix(domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(choice: ProxyChoice) -> Result<Option<Proxy>> {
        Proxy::choose(&choice, true, "oss.example", |_| None)
    }

    #[test]
    fn an_unusable_proxy_is_rejected_without_showing_its_url() {
        for url in ["htp://user:hush@host", "http://user:hush@", "http://user:hush@host:0", "::"] {
            let error = choose(ProxyChoice::Url(url.into())).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }

    #[test]
    fn an_unusable_variable_is_named() {
        let variable = |name: &str| (name == "HTTPS_PROXY").then(|| "ftp://a".to_owned());
        let error = Proxy::choose(&ProxyChoice::Environment, true, "oss.example", variable);
        assert!(error.err().unwrap().message().starts_with("HTTPS_PROXY: "));
    }

    #[test]
    fn this_machine_is_reached_directly_regardless_of_the_environment() {
        let chosen = |host: &str| {
            let all = |_: &str| Some("http://proxy.example".to_owned());
            let all = |name: &str| if name.to_lowercase() == "no_proxy" { None } else { all(name) };
            Proxy::choose(&ProxyChoice::Environment, false, host, all).unwrap().is_some()
        };
        for host in [
            "localhost",
            "LOCALHOST",
            "b.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!chosen(host), "{host}");
        }
        for host in ["localhost.example", "128.0.0.1", "[::2]", "oss.example"] {
            assert!(chosen(host), "{host}");
        }
    }

    #[test]
    fn ipv6_networks_are_supported_unlike_in_older_versions_of_curl() {
        for (list, is_in) in [
            ("2001:DB8:0::1", true),
            ("2001:db8::/32", true),
            ("2001:db8::/127", true),
            ("2001:db8::1/128", true),
            ("other, 2001:db8::/64", true),
            ("2001:db8::2/128", false),
            ("2001:db9::/32", false),
            ("2001:db8::/129", false),
            ("::/0", false),
        ] {
            assert_eq!(is_excluded("[2001:db8::1]", list), is_in, "{list}");
        }
    }

    #[test]
    fn the_parts_of_a_url_are_separated() {
        let parts = |url: &str| {
            let proxy = Proxy::parse(url).unwrap();
            (proxy.authority.clone(), proxy.credentials().map(str::to_owned))
        };
        assert_eq!(parts("host"), ("host:1080".into(), None));
        assert_eq!(parts("http://host:3128/x"), ("host:3128".into(), None));
        #[cfg(any(feature = "tls", feature = "native-tls"))]
        assert_eq!(parts("https://host"), ("host:443".into(), None));
        assert_eq!(parts("socks5://[::1]"), ("[::1]:1080".into(), None));
        assert_eq!(parts("http://[::1]:8080"), ("[::1]:8080".into(), None));
        // "us@er:h:ush%" in Base64.
        let user = Some("dXNAZXI6aDp1c2gl".into());
        assert_eq!(parts("http://us%40er:h:ush%25@host:1"), ("host:1".into(), user));
    }
}
