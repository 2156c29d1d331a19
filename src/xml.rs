//! The documents of the service: request bodies out, response bodies in.
//!
//! [`Document`] reads XML from untrusted peers. Its cost is bounded by
//! [`limits`] and linear in the length of the document, whatever is in it;
//! memory that the document asks for is allocated fallibly.

pub mod limits;
mod reader;

use crate::error::{Error, Result};
use reader::{Node, is_carried};
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// From this length on, a document is read only if there is memory for what
/// may become of it.
const LARGE: usize = 64 * 1024;
/// How many times its own length a document may take: its elements, the
/// strings made of it, and those written as JSON.
const GROWTH: usize = 6;

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
    text.chars().all(is_carried)
}

/// An XML document: its elements in the order in which they begin.
#[derive(Debug)]
pub struct Document<'a>(Vec<Node<'a>>);

impl<'a> Document<'a> {
    /// Parses a document in UTF-8. Document type declarations are refused, and
    /// with them every entity that is not predefined: the service uses none.
    /// Namespaces and the values of attributes are not kept.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadReply`](crate::ErrorKind::BadReply), with the fault and
    /// where it is: the document is not well-formed XML 1.0, exceeds
    /// [`limits`], or there is not enough memory for it.
    pub fn parse(body: &'a [u8]) -> Result<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::bad_reply("the body is empty"));
        }
        check_memory(body.len())?;
        let text = std::str::from_utf8(body)
            .map_err(|error| Error::bad_reply("the body is not UTF-8").with_source(error))?;
        reader::read(text)
            .map(Document)
            .map_err(|fault| Error::bad_reply(format!("invalid XML: {fault}")))
    }

    /// Returns the root element.
    pub fn root(&self) -> Element<'_, 'a> {
        Element { nodes: &self.0, at: 0 }
    }
}

/// Checks that there is memory for what becomes of a long document. It is
/// made of many small pieces, none of which could fail on its own.
fn check_memory(length: usize) -> Result<()> {
    if length < LARGE {
        return Ok(());
    }
    Vec::<u8>::new().try_reserve_exact(length.saturating_mul(GROWTH)).map_err(|error| {
        let message = format!("not enough memory to read a document of {length} bytes");
        Error::bad_reply(message).with_source(error)
    })
}

/// An element of a document. Readers walk its children once and take what they
/// know, so that order and unknown elements do not matter.
#[derive(Debug, Clone, Copy)]
pub struct Element<'t, 'a> {
    nodes: &'t [Node<'a>],
    at: usize,
}

impl<'t, 'a> Element<'t, 'a> {
    /// Returns the name without its namespace prefix.
    pub fn name(&self) -> &'t str {
        let name = self.nodes[self.at].name;
        let prefix = name.bytes().position(|byte| byte == b':');
        prefix.map_or(name, |end| &name[end + 1..])
    }

    /// Returns the elements directly inside this one, in order.
    pub fn children(&self) -> impl Iterator<Item = Element<'t, 'a>> + use<'t, 'a> {
        let nodes = self.nodes;
        let end = nodes[self.at].end;
        let child = move |at| (at < end).then_some(Element { nodes, at });
        std::iter::successors(child(self.at + 1), move |last| child(nodes[last.at].end))
    }

    /// Returns the text, white space included. In an element with children,
    /// pieces of nothing but white space are left out.
    pub fn text(&self) -> &'t str {
        &self.nodes[self.at].text
    }

    pub(crate) fn string(&self) -> String {
        self.text().to_owned()
    }

    /// The text of what is not free text, without white space around it.
    pub(crate) fn value(&self) -> &'t str {
        self.text().trim()
    }

    pub(crate) fn number<N: FromStr>(&self) -> Result<N> {
        let text = self.value();
        text.parse().map_err(|_| self.bad(text, "a number in range"))
    }

    pub(crate) fn boolean(&self) -> Result<bool> {
        match self.value() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => Err(self.bad(text, "true or false")),
        }
    }

    /// A time in ISO 8601, as the service writes it.
    pub(crate) fn time(&self) -> Result<OffsetDateTime> {
        let text = self.value();
        parse_time(text).ok_or_else(|| self.bad(text, "a time"))
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
mod tests;
