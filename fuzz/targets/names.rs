//! Names: from a host, a path or an RTMP URL to a bucket and a key, from there
//! to the disk and into the string that version 1 signs; and back to the same names.
//!
//! The input is fields separated by 0xFF bytes: two names, a query, a host, a
//! path, and what an encoder sends.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::fuzzing::{self, Names};
use std::sync::LazyLock;

static NAMES: LazyLock<Names> = LazyLock::new(Names::open);

fuzz_target!(|data: &[u8]| {
    let mut fields = data.split(|byte| *byte == 0xff).map(std::str::from_utf8);
    let mut field = || fields.next().unwrap_or(Ok(""));
    let fields = [field(), field(), field(), field(), field(), field(), field(), field()];
    let [Ok(one), Ok(other), Ok(query), Ok(host), Ok(path), Ok(tc_url), Ok(app), Ok(stream)] =
        fields
    else {
        return;
    };
    check_disk(one, other);
    check_signature(one, query);
    check_addresses(host, path, one);
    fuzzing::publish_target(tc_url, app, stream);
});

/// Every name can be stored and found again, next to any other.
fn check_disk(one: &str, other: &str) {
    let names: Vec<&str> = if one == other { vec![one] } else { vec![one, other] };
    let keys = NAMES.keys(&names);
    assert!(keys.is_sorted(), "{keys:?}");
    let is_key = |name: &&&str| {
        (1..=1023).contains(&name.len()) && !name.starts_with(['/', '\\']) && !name.contains('\0')
    };
    assert_eq!(keys.len(), names.iter().filter(is_key).count(), "{names:?} gave {keys:?}");
    assert!(keys.iter().all(|key| names.contains(&key.as_str())), "{names:?} gave {keys:?}");
    let (channels, files) = NAMES.channels(&names);
    let expected = names.iter().filter(|name| fuzzing::is_channel(name)).count();
    assert_eq!((channels.len(), files), (expected, expected), "{names:?} gave {channels:?}");
}

/// No other accepted request has the same version 1 string to sign.
fn check_signature(key: &str, query: &str) {
    let params: Vec<(&str, Option<&str>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value))))
        .collect();
    let unescaped: Vec<(String, Option<String>)> = params
        .iter()
        .map(|(name, value)| {
            // Escapes of an ampersand and an equals sign within a value.
            let value = value.map(|value| value.replace("%26", "&").replace("%3D", "="));
            ((*name).to_owned(), value)
        })
        .collect();
    let params: Vec<(&str, Option<&str>)> =
        unescaped.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    let Some(text) = fuzzing::signed_by_v1(key, &params) else { return };
    let Some((_, resource)) = text.split_once("/demo/") else { panic!("{text:?}") };
    for (at, _) in resource.match_indices('?').chain([(resource.len(), "")]) {
        let (key_read, rest) = resource.split_at(at);
        let rest = rest.strip_prefix('?').unwrap_or_default();
        let read: Vec<(&str, Option<&str>)> = rest
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)))
            })
            .collect();
        if fuzzing::signed_by_v1(key_read, &read).is_some_and(|other| other == text) {
            assert_eq!(key_read, key, "{text:?}");
            assert_eq!(meaning(&read), meaning(&params), "{text:?}");
        }
    }
}

/// The sub-resources of a query, as signed.
fn meaning<'a>(query: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, &'a str)> {
    let is_signed = |(name, _): &&(&str, Option<&str>)| osslive::sign::v1::is_subresource(name);
    let mut params: Vec<_> = query
        .iter()
        .filter(is_signed)
        .map(|(name, value)| (*name, value.unwrap_or_default()))
        .collect();
    params.sort_unstable();
    params
}

/// A channel's URLs resolve to that channel.
fn check_addresses(host: &str, path: &str, channel: &str) {
    let Some((bucket, _)) = fuzzing::resolve(host, path) else { return };
    if !fuzzing::is_channel(channel) || host.contains(['/', '\\', '?', '#', '@', '%', ' ', ',']) {
        return;
    }
    let (publish, play) = fuzzing::urls(host, &bucket, channel, "p.m3u8");
    let (tc_url, stream) = publish.rsplit_once('/').unwrap_or_default();
    let app = tc_url.splitn(4, '/').nth(3).unwrap_or_default();
    let target = fuzzing::publish_target(tc_url, app, stream);
    assert_eq!(target, Some((bucket.clone(), channel.to_owned())), "{publish}");
    let rest = play.strip_prefix("http://").unwrap_or_default();
    let (authority, _) = rest.split_once('/').unwrap_or_default();
    let path = &rest[authority.len()..];
    let key = format!("{channel}/p.m3u8");
    assert_eq!(fuzzing::resolve(authority, path), Some((bucket, key)), "{play}");
}
