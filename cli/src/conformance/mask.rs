//! Makes records identical between runs and safe to publish: names, keys, ids,
//! addresses and times become placeholders.

/// Strings of this run with their placeholders.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask {
    secrets: Vec<(String, &'static str)>,
    names: Vec<(String, &'static str)>,
}

impl Mask {
    /// Replaces a name everywhere. Empty names are ignored.
    pub(super) fn hide(&mut self, name: &str, placeholder: &'static str) {
        push(&mut self.names, name, placeholder);
    }

    /// Replaces a secret or an id everywhere, including texts without names.
    pub(super) fn hide_secret(&mut self, secret: &str, placeholder: &'static str) {
        push(&mut self.secrets, secret, placeholder);
    }

    /// Masks any string.
    pub(super) fn apply(&self, text: &str) -> String {
        words(&replace(&self.names, self.word(text)))
    }

    /// Masks a string of protocol words: a bucket may be named like
    /// one.
    pub(super) fn word(&self, text: &str) -> String {
        replace(&self.secrets, text.to_owned())
    }
}

fn push(texts: &mut Vec<(String, &'static str)>, text: &str, placeholder: &'static str) {
    if !text.is_empty() {
        texts.push((text.to_owned(), placeholder));
        // A string within another one is replaced last.
        texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }
}

fn replace(texts: &[(String, &'static str)], text: String) -> String {
    texts.iter().fold(text, |text, (secret, placeholder)| text.replace(secret, placeholder))
}

/// Replaces words that look like a time, an id or an address.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-.:+_".contains(c);
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(&placeholder(word).unwrap_or_else(|| word.to_owned()));
        let mut others = after.chars();
        out.extend(others.next());
        rest = others.as_str();
    }
    dates(&out)
}

fn placeholder(word: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_upper_hex = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
    if let Some(name) = word.strip_suffix(".ts").filter(|name| name.len() > 9 && digits(name)) {
        return Some(format!("<{} digits>.ts", name.len()));
    }
    let shape = match word.len() {
        length @ 10.. if digits(word) => Some(format!("<{length} digits>")),
        8 if digits(word) && word.starts_with("20") => Some("<yyyymmdd>".to_owned()),
        16 if is_basic_time(word) => Some("<yyyymmddThhmmssZ>".to_owned()),
        length @ 16.. if word.bytes().all(is_upper_hex) => Some(format!("<{length} hex digits>")),
        length @ 16.. if word.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Some(format!("<{length} hex digits in lower case>"))
        }
        _ => None,
    };
    if shape.is_some() {
        return shape;
    }
    if let Some((address, port)) = word.rsplit_once(':') {
        if address.parse::<std::net::Ipv4Addr>().is_ok() && digits(port) {
            return Some("<ip:port>".to_owned());
        }
    }
    if word.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("<ip>".to_owned());
    }
    time_format(word)
}

/// Returns whether a word looks like `20261122T081638Z`.
fn is_basic_time(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "00000000T000000Z"
}

/// Returns the format of an ISO 8601 time, such as `<yyyy-mm-ddThh:mm:ss.000Z>`.
fn time_format(word: &str) -> Option<String> {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let rest = shape.strip_prefix("0000-00-00T00:00:00")?;
    let fraction = match rest.strip_prefix('.') {
        Some(_) if word.ends_with(".000Z") => ".000",
        Some(_) => ".fff",
        None => "",
    };
    Some(format!("<yyyy-mm-ddThh:mm:ss{fraction}Z>"))
}

/// Replaces HTTP dates, which consist of several words.
fn dates(text: &str) -> String {
    const DAYS: [&str; 7] = ["Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "];
    const LENGTH: usize = "Sun, 22 Nov 2026 08:16:38 GMT".len();
    let mut text = text.to_owned();
    for day in DAYS {
        while let Some(at) = text.find(day) {
            match text.get(at..at + LENGTH) {
                Some(date) if date.ends_with(" GMT") => {
                    text.replace_range(at..at + LENGTH, "<HTTP date>");
                }
                _ => break,
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_secrets_become_placeholders_the_longest_first() {
        let mut mask = Mask::default();
        mask.hide("live", "<bucket>");
        mask.hide("live.example.com", "<host>");
        mask.hide("", "<nothing>");
        assert_eq!(mask.apply("http://live.example.com/live/x"), "http://<host>/<bucket>/x");
        mask.hide_secret("xml", "<secret>");
        assert_eq!((&*mask.word("live"), &*mask.word("xml")), ("live", "<secret>"));
    }

    #[test]
    fn words_that_differ_from_run_to_run_show_their_format() {
        for (text, masked) in [
            ("6B02A4E6B92475920B0002F1", "<24 hex digits>"),
            ("\"0CC175B9C0F1B6A831C399E269772661\"", "\"<32 hex digits>\""),
            ("ch/1795335398123.ts", "ch/<13 digits>.ts"),
            ("endTime=1795335398", "endTime=<10 digits>"),
            ("id/20261122/oss", "id/<yyyymmdd>/oss"),
            ("20261122T081638Z", "<yyyymmddThhmmssZ>"),
            ("0123456789abcdef", "<16 hex digits in lower case>"),
            ("1234567890123456", "<16 digits>"),
            ("2026-11-22T08:16:38.000Z", "<yyyy-mm-ddThh:mm:ss.000Z>"),
            ("2026-11-22T08:16:38.123Z", "<yyyy-mm-ddThh:mm:ss.fffZ>"),
            ("2026-11-22T08:16:38Z", "<yyyy-mm-ddThh:mm:ssZ>"),
            ("203.0.113.9:47745", "<ip:port>"),
            ("from 203.0.113.9", "from <ip>"),
            ("Sun, 22 Nov 2026 08:16:38 GMT", "<HTTP date>"),
            ("0044-00000201 3 playlist.m3u8", "0044-00000201 3 playlist.m3u8"),
            ("Sun, or never é", "Sun, or never é"),
        ] {
            assert_eq!(Mask::default().apply(text), masked, "{text}");
        }
    }
}
