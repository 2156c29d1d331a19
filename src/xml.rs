//! The documents of the service: request bodies out, reply bodies in.

use crate::error::{Error, Result};
use roxmltree::{Document as Tree, Node, ParsingOptions};
use std::borrow::Cow;
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How many elements and texts a reply may have: forty times those of a list of
/// 1,000 channels. Each takes some sixty bytes of memory.
const MAX_NODES: u32 = 1_000_000;
/// How many equals signs: the service writes attributes hardly ever, and 1,000
/// descriptions have 128,000 bytes.
const MAX_EQUALS: usize = 250_000;

/// Writes a document of nested elements.
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn new() -> Self {
        Writer(r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned())
    }

    /// Writes an element with what `content` writes inside it.
    pub(crate) fn element(mut self, name: &str, content: impl FnOnce(Self) -> Self) -> Self {
        self.tag("<", name);
        self = content(self);
        self.tag("</", name);
        self
    }

    /// Writes an element with a text.
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        self.tag("<", name);
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                // A reader would turn a bare carriage return into a line feed.
                '\r' => self.0.push_str("&#13;"),
                other => self.0.push(other),
            }
        }
        self.tag("</", name);
        self
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn tag(&mut self, open: &str, name: &str) {
        self.0.push_str(open);
        self.0.push_str(name);
        self.0.push('>');
    }
}

/// Whether XML 1.0 can carry a text at all (section 2.2).
pub(crate) fn can_carry(text: &str) -> bool {
    text.chars().all(|c| {
        !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
    })
}

/// A reply body as a tree.
pub(crate) struct Document<'a>(Tree<'a>);

impl<'a> Document<'a> {
    /// Parses a body. DTDs are refused: the service sends none, and they are
    /// how small documents grow large.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::bad_reply("the body is empty"));
        }
        // Memory is set aside for each sign that could begin a node or an
        // attribute, before any is looked at.
        let count = |sign| body.iter().filter(|byte| **byte == sign).count();
        if count(b'<') > MAX_NODES as usize || count(b'=') > MAX_EQUALS {
            return Err(Error::bad_reply("the body has too many elements"));
        }
        let text = std::str::from_utf8(body)
            .map_err(|error| Error::bad_reply("the body is not UTF-8").with_source(error))?;
        let options =
            ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..Default::default() };
        Tree::parse_with_options(text.trim_start(), options)
            .map(Document)
            .map_err(|error| Error::bad_reply(format!("the body is not the expected XML: {error}")))
    }

    pub(crate) fn root(&self) -> Element<'_, 'a> {
        Element(self.0.root_element())
    }
}

/// An element of a reply. Readers walk its children once and take what they
/// know, so that order and unknown elements do not matter.
#[derive(Clone, Copy)]
pub(crate) struct Element<'t, 'a>(Node<'t, 'a>);

impl<'t, 'a> Element<'t, 'a> {
    /// The name without its namespace.
    pub(crate) fn name(&self) -> &'t str {
        self.0.tag_name().name()
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = Element<'t, 'a>> + use<'t, 'a> {
        self.0.children().filter(Node::is_element).map(Element)
    }

    /// The text, without the white space around it.
    pub(crate) fn text(&self) -> Cow<'t, str> {
        let mut texts = self.0.children().filter_map(|node| node.is_text().then(|| node.text())?);
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        match texts.next() {
            None => Cow::Borrowed(first.trim()),
            // A comment splits a text in two.
            Some(second) => {
                let rest: String = texts.collect();
                Cow::Owned(format!("{first}{second}{rest}").trim().to_owned())
            }
        }
    }

    pub(crate) fn string(&self) -> String {
        self.text().into_owned()
    }

    pub(crate) fn number<N: FromStr>(&self) -> Result<N> {
        let text = self.text();
        text.parse().map_err(|_| self.bad(&text, "a number in range"))
    }

    pub(crate) fn boolean(&self) -> Result<bool> {
        match &*self.text() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => Err(self.bad(text, "true or false")),
        }
    }

    /// A time in ISO 8601, as the service writes it.
    pub(crate) fn time(&self) -> Result<OffsetDateTime> {
        let text = self.text();
        parse_time(&text).ok_or_else(|| self.bad(&text, "a time"))
    }

    fn bad(&self, text: &str, wanted: &str) -> Error {
        let shown: String = text.chars().take(80).collect();
        Error::bad_reply(format!("{} is {shown:?}, which is not {wanted}", self.name()))
    }
}

pub(crate) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn text_of(document: &str) -> String {
        Document::parse(document.as_bytes()).unwrap().root().string()
    }

    #[test]
    fn texts_are_escaped() {
        let body = Writer::new().element("A", |x| x.text("B", "a<b>&c\r\n").text("C", ""));
        assert_eq!(
            body.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><A><B>a&lt;b&gt;&amp;c&#13;\n</B><C></C></A>"
        );
    }

    #[test]
    fn a_text_is_the_same_as_cdata_as_references_and_around_comments() {
        for document in
            ["<A> a&amp;b </A>", "<A><![CDATA[a&b]]></A>", "<A>a<!-- -->&#38;<!-- -->b</A>"]
        {
            assert_eq!(text_of(document), "a&b", "{document}");
        }
    }

    #[test]
    fn an_empty_element_has_an_empty_text() {
        assert_eq!(text_of("<A/>"), "");
        assert_eq!(text_of("<A></A>"), "");
    }

    #[test]
    fn times_are_read_with_and_without_a_fraction() {
        for text in ["2026-11-22T08:16:38.000Z", "2026-11-22T08:16:38Z"] {
            assert_eq!(parse_time(text), Some(datetime!(2026-11-22 08:16:38 UTC)));
        }
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn what_is_no_document_is_an_error_that_says_why() {
        for (body, word) in [
            (&b""[..], "empty"),
            (b" \n", "empty"),
            (b"<A>\xff</A>", "UTF-8"),
            (b"<A>", "XML"),
            (b"<html><br></html>", "XML"),
            (b"<!DOCTYPE A [<!ENTITY e 'x'>]><A>&e;</A>", "DTD"),
        ] {
            let error = Document::parse(body).err().unwrap();
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn deep_nesting_does_not_exhaust_the_stack() {
        let deep = format!("{}{}", "<A>".repeat(200_000), "</A>".repeat(200_000));
        // Either answer will do; an overflow would end the process.
        let _ = Document::parse(deep.as_bytes()).map(|document| document.root().string());
    }

    #[test]
    fn a_bad_number_names_its_element_and_its_text() {
        let document = Document::parse(b"<Width>abc</Width>").unwrap();
        let error = document.root().number::<u32>().unwrap_err();
        assert_eq!(error.message(), r#"Width is "abc", which is not a number in range"#);
    }
}
