//! External settings: proxy URLs and `NO_PROXY` lists, config files, and credentials
//! from services and programs.
//!
//! The first byte selects the parser; the rest is a list of fields separated by 0xFF
//! bytes.

#![no_main]

use base64::prelude::{BASE64_STANDARD, Engine};
use libfuzzer_sys::fuzz_target;
use osslive::fuzzing::{self, ChosenProxy, Issuer};
use osslive::profile::Profile;
use osslive::{Credentials, CredentialsSource, Error, ErrorKind};
use serde_json::json;
use time::OffsetDateTime;

/// The placeholder for secrets, on a separate line: no error may quote it.
const SECRET: &str = "d8Kq3vXw";

fuzz_target!(|data: &[u8]| {
    let [which, rest @ ..] = data else { return };
    let fields: Vec<&[u8]> = rest.split(|byte| *byte == 0xff).collect();
    let text = |at: usize| std::str::from_utf8(fields.get(at).copied().unwrap_or_default());
    match which % 6 {
        0 => {
            let (Ok(url), Ok(user)) = (text(0), text(1)) else { return };
            check_proxy(url, user);
        }
        1 => {
            let (Ok(host), Ok(list), Ok(entry)) = (text(0), text(1), text(2)) else { return };
            check_exclusions(host, list, entry);
        }
        2 => check_issued(which / 6, &fields),
        3 => {
            let Ok(command) = text(0) else { return };
            check_words(command);
        }
        4 => {
            let (Ok(name), Ok(id), Ok(secret), Ok(token), Ok(region)) =
                (text(0), text(1), text(2), text(3), text(4))
            else {
                return;
            };
            check_keys(name, id, secret, token, region);
        }
        _ => {
            let (Ok(before), Ok(after)) = (text(0), text(1)) else { return };
            check_secrecy(before, after);
        }
    }
});

fn by_url(url: &str) -> Result<Option<ChosenProxy>, Error> {
    fuzzing::proxy(Some(url), true, "oss.example", |_| None)
}

/// A proxy that is chosen can be connected to, and sends no header but its own.
fn check_proxy(url: &str, user: &str) {
    let chosen = by_url(url);
    // The same URL from a variable, which errors name.
    let variable = |name: &str| (name == "https_proxy").then(|| url.to_owned());
    let found = fuzzing::proxy(None, true, "oss.example", variable);
    match (&chosen, &found) {
        (Ok(one), Ok(other)) => assert!(one == other || url.is_empty(), "{one:?} {other:?}"),
        (Err(one), Err(other)) => {
            assert_eq!((one.kind(), other.kind()), (ErrorKind::Config, ErrorKind::Config));
            assert!(other.message().starts_with("https_proxy: "), "{other}");
        }
        (Err(_), Ok(None)) if url.is_empty() => {}
        _ => panic!("{chosen:?} {found:?}"),
    }
    if let Ok(chosen) = &chosen {
        let proxy = chosen.as_ref().expect("a proxy, since there is a URL");
        let (host, port) = proxy.authority.rsplit_once(':').expect("a port");
        assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{proxy:?}");
        let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"/?#@\\".contains(c);
        assert!(!host.is_empty() && host.chars().all(is_plain), "{proxy:?}");
        assert!(proxy.uri.contains(&proxy.authority), "{proxy:?}");
        if let Some(credentials) = &proxy.credentials {
            let decoded = BASE64_STANDARD.decode(credentials).expect("Base64");
            assert!(decoded.contains(&b':'), "{proxy:?}");
        }
    }
    // Whatever is wrong with the rest, the password is not shown.
    if !user.contains(['/', '?', '#', '@', ':']) && !url.contains("://") {
        if let Err(error) = by_url(&format!("http://{user}:{SECRET}@{url}")) {
            assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        }
    }
}

/// Another entry excludes more hosts and never fewer.
fn check_exclusions(host: &str, list: &str, entry: &str) {
    let is_direct = |host: &str, list: &str| {
        let variable = |name: &str| match name {
            "no_proxy" => Some(list.to_owned()),
            "https_proxy" => Some("http://proxy.example:3128".to_owned()),
            _ => None,
        };
        fuzzing::proxy(None, true, host, variable).expect("a good proxy").is_none()
    };
    let (direct, never) = (is_direct(host, list), is_direct(host, ""));
    assert!(direct || !never, "{host:?} is this machine");
    assert!(is_direct(host, "*"));
    assert_eq!(is_direct(&host.to_ascii_uppercase(), list), direct, "{host:?} {list:?}");
    assert_eq!(is_direct(host, &list.to_ascii_uppercase()), direct, "{host:?} {list:?}");
    // Alone, * matches every host; in a list, it is a literal name.
    if direct && list != "*" {
        for longer in [format!("{list},{entry}"), format!("{entry} {list}")] {
            assert!(is_direct(host, &longer), "{host:?} {longer:?}");
        }
    }
    if !direct && !list.is_empty() && list != "*" {
        let alone = list.split([',', ' ', '\t']).filter(|part| *part != "*");
        for part in alone.filter(|part| !part.is_empty()).take(64) {
            assert!(!is_direct(host, part), "{host:?} {list:?} {part:?}");
        }
    }
}

/// Credentials are complete and valid, and errors quote none.
fn check_issued(issuer: u8, fields: &[&[u8]]) {
    let issuer = [Issuer::Ecs, Issuer::Sts, Issuer::Uri, Issuer::Process][usize::from(issuer % 4)];
    let [body, rest @ ..] = fields else { return };
    let now = OffsetDateTime::from_unix_timestamp(1_795_335_398).expect("a time");
    let date = rest.first().and_then(|date| std::str::from_utf8(date).ok());
    for status in [200, 404, 500] {
        let issued = fuzzing::issued(issuer, status, date, body, now);
        // Those that cannot be sent are refused before they are used.
        let is_usable = |keys: &Credentials| CredentialsSource::Keys(keys.clone()).check().is_ok();
        if let Some((credentials, _)) = issued.as_ref().ok().filter(|(keys, _)| is_usable(keys)) {
            let has_status = !matches!(issuer, Issuer::Process);
            assert!(status == 200 || !has_status || matches!(issuer, Issuer::Sts));
            assert!(!credentials.access_key_id().is_empty());
            assert!(!credentials.access_key_secret().is_empty());
            assert!(credentials.security_token() != Some(""));
        }
        if let Ok(role) = fuzzing::role(status, body) {
            assert!(status == 200 && !role.trim().is_empty() && !role.contains('\n'));
        }
    }
    let Some(after) = rest.get(1) else { return };
    let line = format!("\n\"AccessKeySecret\": \"{SECRET}\"\n");
    let body = [body, line.as_bytes(), after].concat();
    let issued = fuzzing::issued(issuer, 200, date, &body, now);
    if let Err(error) = issued {
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        assert!(!error.message().is_empty());
    }
}

/// Quoting words does not change them.
fn check_words(command: &str) {
    let Ok(words) = fuzzing::words(command) else { return };
    assert!(!words[0].is_empty());
    let quoted: Vec<String> =
        words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    assert_eq!(fuzzing::words(&quoted.join(" ")).expect("quoted words"), words, "{command:?}");
}

/// Values in the aliyun command's config file are read unchanged.
fn check_keys(name: &str, id: &str, secret: &str, token: &str, region: &str) {
    let file = json!({
        "current": name,
        "profiles": [
            {"name": format!("{name}.other"), "mode": "AK", "access_key_id": "no"},
            {"name": name, "mode": "StsToken", "access_key_id": id, "access_key_secret": secret,
             "sts_token": token, "region_id": region, "retry_count": 3}
        ]
    });
    let profile = Profile::parse(&file.to_string(), Some(name));
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    match profile {
        Ok(profile) => {
            let expected = Credentials::new(id, secret);
            let expected = match given(token) {
                Some(token) => expected.with_security_token(token),
                None => expected,
            };
            assert_eq!(profile.source, CredentialsSource::Keys(expected));
            assert_eq!(profile.region, given(region));
            if !name.trim().is_empty() {
                assert_eq!(Profile::parse(&file.to_string(), None).expect("the current"), profile);
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Credentials);
            let are_given = given(id).is_some() && given(secret).is_some();
            let is_plain = [id, secret, token].iter().all(|text| {
                text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.starts_with(['"', '\''])
            });
            assert!(name.trim().is_empty() || !(are_given && is_plain), "{file}: {error}");
        }
    }
}

/// No error quotes the secret of a config file, wherever the file is wrong.
fn check_secrecy(before: &str, after: &str) {
    for line in [
        format!("\n\"access_key_secret\": \"{SECRET}\"\n"),
        format!("\naccessKeySecret = {SECRET}\n"),
    ] {
        let text = format!("{before}{line}{after}");
        for name in [None, Some("default"), Some("a")] {
            if let Err(error) = Profile::parse(&text, name) {
                assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
            }
        }
    }
}
