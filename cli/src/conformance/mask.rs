//! Makes what is recorded the same in every run, and safe to publish: names, keys,
//! ids, addresses and times become placeholders.

/// Texts of this run, each with its placeholder.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask(Vec<(String, &'static str)>);

impl Mask {
    /// Replaces a text wherever it stands; an empty one never.
    pub(super) fn hide(&mut self, text: &str, placeholder: &'static str) {
        if !text.is_empty() {
            self.0.push((text.to_owned(), placeholder));
            // A name inside of another goes last.
            self.0.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (secret, placeholder) in &self.0 {
            text = text.replace(secret, placeholder);
        }
        words(&text)
    }
}

/// Replaces the words that look like a time, an id or an address.
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
    match word.len() {
        24 if word.bytes().all(is_upper_hex) => return Some("<24 hex digits>".to_owned()),
        32 if word.bytes().all(is_upper_hex) => return Some("<32 hex digits>".to_owned()),
        10 | 13 if digits(word) => return Some(format!("<{} digits>", word.len())),
        _ => {}
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

/// The shape of a time in ISO 8601, such as `<yyyy-mm-ddThh:mm:ss.000Z>`.
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

/// Replaces dates of HTTP, which consist of several words.
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
    }

    #[test]
    fn words_that_differ_from_run_to_run_show_their_format() {
        for (text, masked) in [
            ("6B02A4E6B92475920B0002F1", "<24 hex digits>"),
            ("\"0CC175B9C0F1B6A831C399E269772661\"", "\"<32 hex digits>\""),
            ("ch/1795335398123.ts", "ch/<13 digits>.ts"),
            ("endTime=1795335398", "endTime=<10 digits>"),
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
