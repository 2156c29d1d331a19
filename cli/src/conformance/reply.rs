//! Responses, and what is recorded of them.

use super::record::{MESSAGE, Record};
use super::request_spec::See;
use base64::prelude::{BASE64_STANDARD, Engine};
use osslive::xml::{self, Element};
use std::net::{IpAddr, SocketAddr};

/// A response as received.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The headers, with lower-case names.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the text of an element, given by its path below the root.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        xml::read(&self.body, |root| {
            let mut found = root;
            for name in path.split('/') {
                found = found.children().find(|child| child.name() == name)?;
            }
            Some(found.text().to_owned())
        })
        .ok()
        .flatten()
    }

    /// Returns the texts of all grandchildren of the root with this name, such as
    /// the names of listed channels.
    pub(super) fn texts(&self, parent: &str, name: &str) -> Vec<String> {
        let read = xml::read(&self.body, |root| {
            let parents = root.children().filter(|child| child.name() == parent);
            let named = parents.flat_map(|parent| parent.children());
            named
                .filter(|child| child.name() == name)
                .map(|child| child.text().to_owned())
                .collect()
        });
        read.unwrap_or_default()
    }

    /// Counts the root's children with a name.
    pub(super) fn count(&self, name: &str) -> String {
        let read = xml::read(&self.body, |root| {
            root.children().filter(|child| child.name() == name).count()
        });
        read.map_or_else(|_| "not XML".to_owned(), |count| count.to_string())
    }

    /// Returns the code of an error whose document is in a header.
    fn code_in_header(&self) -> Option<String> {
        let body = BASE64_STANDARD.decode(self.header("x-oss-err")?).ok()?;
        Reply { body, ..Reply::default() }.text("Code")
    }

    /// Returns the code of an error, or the status if it has none.
    pub(super) fn failure(&self) -> String {
        self.text("Code")
            .or_else(|| self.code_in_header())
            .unwrap_or_else(|| format!("status {}", self.status))
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Records status, code, EC, type and outline, and whatever else is requested.
    pub(super) fn record(&self, see: &[See]) -> Record {
        let headers_only = see.iter().any(|see| matches!(see, See::HeadersOnly));
        let mut record = if headers_only { Record::default() } else { self.basics(see) };
        let absent = headers_only.then_some("absent");
        let header = |name: &str| self.header(name).or(absent).map(str::to_owned);
        for see in see {
            record = match see {
                See::HeadersOnly | See::Has(_) => record,
                See::Text(path) => with(record, path, self.text(path)),
                See::Number(path) => with(record, path, self.text(path).map(number)),
                See::Address(path) => with(record, path, self.text(path).map(address)),
                See::ErrorHeader => with(record, "code in x-oss-err", self.code_in_header()),
                See::Count(name) => record.with(&format!("number of {name}"), self.count(name)),
                See::Header(name) => with(record, name, header(name)),
                See::Body => record.with("body", String::from_utf8_lossy(&self.body)),
                See::Playlist => playlist(&String::from_utf8_lossy(&self.body), record),
            };
        }
        record
    }

    fn basics(&self, see: &[See]) -> Record {
        let mut record = Record::of("status", self.status.to_string());
        if !self.body.is_empty() || !self.is_success() {
            record = with(record, "content-type", self.header("content-type").map(str::to_owned));
        }
        if !self.is_success() {
            record = with(record, "code", self.text("Code"));
            record = with(record, "ec", self.text("EC"));
            record = with(record, MESSAGE, self.text("Message"));
        }
        let element = see.iter().find_map(|see| match see {
            See::Has(name) => Some(name),
            _ => None,
        });
        if let Some(name) = element {
            return record.with(name, if self.text(name).is_some() { "present" } else { "absent" });
        }
        let is_text = see.iter().any(|see| matches!(see, See::Playlist | See::Body));
        with(record, "elements", outline(&self.body).filter(|_| !is_text))
    }
}

fn number(text: String) -> String {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { "<number>".to_owned() } else { text }
}

fn address(text: String) -> String {
    if text.parse::<SocketAddr>().is_ok() {
        "<ip:port>".to_owned()
    } else if text.parse::<IpAddr>().is_ok() {
        "<ip>".to_owned()
    } else {
        text
    }
}

fn with(record: Record, facet: &str, value: Option<String>) -> Record {
    match value {
        Some(value) => record.with(facet, value),
        None => record,
    }
}

/// Returns the names of a document's elements, in order: `Root(First
/// Second(Third))`. Of consecutive siblings with equal content, one is shown, with
/// a plus sign.
fn outline(body: &[u8]) -> Option<String> {
    fn of(element: Element<'_, '_>) -> String {
        let mut children: Vec<String> = Vec::new();
        for child in element.children().map(of) {
            match children.last_mut() {
                Some(last) if *last == child => last.push('+'),
                Some(last) if last.strip_suffix('+') == Some(child.as_str()) => {}
                _ => children.push(child),
            }
        }
        match &children[..] {
            [] => element.name().to_owned(),
            children => format!("{}({})", element.name(), children.join(" ")),
        }
    }
    xml::read(body, of).ok()
}

/// Returns the distinct tags of a playlist, and the form of its entries.
fn playlist(text: &str, record: Record) -> Record {
    let mut tags: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('#')) {
        let tag = line.split(':').next().unwrap_or(line);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let entry = text.lines().find(|line| !line.starts_with('#') && !line.is_empty());
    // The parameters of a signed entry are named without their values.
    let entry = entry.map(|line| match line.split_once('?') {
        Some((path, query)) => {
            let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or(pair));
            // Present only with temporary credentials.
            let names = names.filter(|name| !name.ends_with("security-token"));
            format!("{path}?{}", names.collect::<Vec<_>>().join("&"))
        }
        None => line.to_owned(),
    });
    let version = text.lines().find_map(|line| line.strip_prefix("#EXT-X-VERSION:"));
    let record = record.with("tags", tags.join(" "));
    let record = with(record, "version", version.map(str::to_owned));
    with(record, "entry", entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
        Reply { status, headers, body: body.into() }
    }

    #[test]
    fn the_outline_shows_names_in_order_and_repeated_ones_once() {
        let list = "<L><P/><C><N>1</N></C><C><N>2</N></C><C><N>3</N></C><C/></L>";
        assert_eq!(outline(list.as_bytes()).unwrap(), "L(P C(N)+ C)");
        assert_eq!(outline(b"no XML"), None);
    }

    #[test]
    fn an_error_is_recorded_with_code_and_ec() {
        let error =
            reply(404, "<Error><Code>NoSuchKey</Code><Message>No.</Message><EC>1</EC></Error>");
        let line = error.record(&[]).line();
        assert_eq!(
            line,
            "status: 404; code: NoSuchKey; ec: 1; content-type: application/xml; \
             elements: Error(Code Message EC); message: No."
        );
        assert_eq!(error.failure(), "NoSuchKey");
    }

    #[test]
    fn a_playlist_is_recorded_by_its_tags_and_entries() {
        let text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1.0,\n1.ts?a=1&b=2\n#EXTINF:1.0,\n2.ts\n";
        let line = reply(200, text).record(&[See::Playlist]).line();
        assert_eq!(
            line,
            "status: 200; content-type: application/xml; entry: 1.ts?a&b; \
             tags: #EXTM3U #EXT-X-VERSION #EXTINF; version: 3"
        );
    }
}
