//! The service's XML documents: writes request bodies and parses response bodies.
//!
//! XML from untrusted peers is parsed in two steps: [`Source`] checks a body against
//! the [`limits`], so that parsing is cheap whatever it contains, and [`Document`]
//! parses it with roxmltree. [`read`] does both:
//!
//! ```
//! let body = b"<A> <B>text</B> </A>";
//! let texts: Vec<_> = osslive::xml::read(body, |root| {
//!     root.children().map(|child| child.text().to_owned()).collect()
//! })?;
//! assert_eq!(texts, ["text"]);
//! # Ok::<(), osslive::Error>(())
//! ```

mod character;
pub mod limits;
mod scan;

use crate::error::{Error, Result};
use character::is_allowed;
use roxmltree::ParsingOptions;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Documents of at least this length are parsed only if there is enough memory for
/// everything that parsing may create.
const LARGE: usize = 64 * 1024;
/// The memory that a document may take, as a multiple of its length: its elements, the
/// strings made from it, and their JSON.
const GROWTH: usize = 6;

/// Writes a document of nested elements.
pub(crate) struct Writer(String);

impl Writer {
    pub(crate) fn new() -> Self {
        Writer(r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned())
    }

    /// Writes an element whose content `content` writes.
    pub(crate) fn element(mut self, name: &str, content: impl FnOnce(Self) -> Self) -> Self {
        self.tag("<", name);
        self = content(self);
        self.tag("</", name);
        self
    }

    /// Writes an element that contains a string.
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        self.tag("<", name);
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                // A parser would turn a bare carriage return into a line feed.
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

/// Returns whether XML 1.0 allows all characters of a string (section 2.2).
pub(crate) fn allows(text: &str) -> bool {
    text.chars().all(is_allowed)
}

/// The source of a document that is within the [`limits`].
#[derive(Debug)]
pub struct Source<'a> {
    body: &'a str,
    /// The parts that the parser needs.
    needed: String,
}

impl<'a> Source<'a> {
    /// Checks a document in UTF-8. Document type declarations are rejected, and with
    /// them all entities that are not predefined: the service uses none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadReply`](crate::ErrorKind::BadReply), with the problem and its
    /// position, if the document exceeds the [`limits`] or there is not enough memory
    /// for it.
    pub fn check(body: &'a [u8]) -> Result<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::bad_reply("empty response body"));
        }
        check_memory(body.len())?;
        let body = std::str::from_utf8(body).map_err(|error| {
            Error::bad_reply("the response body is not UTF-8").with_source(error)
        })?;
        match scan::scan(body) {
            Ok(needed) => Ok(Source { body, needed }),
            Err(problem) => Err(invalid(&scan::locate(&problem.what, body, problem.at))),
        }
    }

    /// Returns roxmltree's error for the whole body, with its position there.
    fn explain(&self, error: &roxmltree::Error) -> Error {
        let whole = roxmltree::Document::parse(self.body);
        let error = whole.as_ref().err().unwrap_or(error);
        let position = error.pos();
        let what = error.to_string().replace(&format!(" at {position}"), "");
        let line_start: usize =
            self.body.split_inclusive('\n').take(position.row as usize - 1).map(str::len).sum();
        let line = self.body.get(line_start..).unwrap_or_default();
        let column = line.char_indices().nth(position.col as usize - 1);
        let at = line_start + column.map_or(line.len(), |(at, _)| at);
        invalid(&scan::locate(&what, self.body, at))
    }
}

fn invalid(problem: &str) -> Error {
    Error::bad_reply(format!("invalid XML: {problem}"))
}

/// An XML document.
#[derive(Debug)]
pub struct Document<'a>(roxmltree::Document<'a>);

impl<'a> Document<'a> {
    /// Parses a document.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadReply`](crate::ErrorKind::BadReply), with the problem and its
    /// position, if it is not well-formed XML 1.0.
    pub fn parse(source: &'a Source<'_>) -> Result<Self> {
        roxmltree::Document::parse_with_options(&source.needed, ParsingOptions::default())
            .map(Document)
            .map_err(|error| source.explain(&error))
    }

    /// Returns the root element.
    pub fn root(&self) -> Element<'_, 'a> {
        Element(self.0.root_element())
    }
}

/// Parses a document, starting from its root element.
///
/// # Errors
///
/// As [`Source::check`] and [`Document::parse`].
pub fn read<T>(body: &[u8], read: impl FnOnce(Element<'_, '_>) -> T) -> Result<T> {
    let source = Source::check(body)?;
    Ok(read(Document::parse(&source)?.root()))
}

/// Checks that there is memory for parsing a long document. Parsing makes many small
/// allocations, whose failure could not be handled.
fn check_memory(length: usize) -> Result<()> {
    if length < LARGE {
        return Ok(());
    }
    Vec::<u8>::new().try_reserve_exact(length.saturating_mul(GROWTH)).map_err(|error| {
        let message = format!("not enough memory to read a document of {length} bytes");
        Error::bad_reply(message).with_source(error)
    })
}

/// An element of a document. Parsers walk its children once and use those they know, so
/// order and unknown elements do not matter.
#[derive(Debug, Clone, Copy)]
pub struct Element<'t, 'a>(roxmltree::Node<'t, 'a>);

impl<'t, 'a> Element<'t, 'a> {
    /// Returns the name without its namespace prefix.
    pub fn name(&self) -> &'t str {
        self.0.tag_name().name()
    }

    /// Returns the elements directly inside this one, in order.
    pub fn children(&self) -> impl Iterator<Item = Element<'t, 'a>> + use<'t, 'a> {
        self.0.children().filter(roxmltree::Node::is_element).map(Element)
    }

    /// Returns the text, including white space. For an element with children, this is
    /// the text before the first child, unless it is only indentation.
    pub fn text(&self) -> &'t str {
        self.0.text().unwrap_or_default()
    }

    pub(crate) fn string(&self) -> String {
        self.text().to_owned()
    }

    /// Returns the text of an element that is not free text, trimmed.
    pub(crate) fn value(&self) -> &'t str {
        self.text().trim()
    }

    /// Returns an optional number: invalid numbers are 0, and fractions are
    /// rounded.
    pub(crate) fn number_or_zero<N: Default + TryFrom<u64>>(&self) -> N {
        let text = self.value();
        let whole = text.parse().ok().or_else(|| rounded(text));
        whole.and_then(|number| N::try_from(number).ok()).unwrap_or_default()
    }

    /// Returns a required whole number.
    pub(crate) fn number(&self) -> Result<u64> {
        self.value().parse().map_err(|_| self.bad(self.value(), "a whole number"))
    }

    pub(crate) fn boolean(&self) -> Result<bool> {
        match self.value() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => Err(self.bad(text, "true or false")),
        }
    }

    /// Returns a required time; see [`parse_time`].
    pub(crate) fn time(&self) -> Result<OffsetDateTime> {
        self.optional_time().ok_or_else(|| self.bad(self.value(), "a time"))
    }

    /// Returns an optional time.
    pub(crate) fn optional_time(&self) -> Option<OffsetDateTime> {
        parse_time(self.value())
    }

    fn bad(&self, text: &str, expected: &str) -> Error {
        let shown: String = text.chars().take(80).collect();
        Error::bad_reply(format!("{} {shown:?}: must be {expected}", self.name()))
    }
}

/// Rounds a non-negative decimal fraction.
fn rounded(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.')?;
    let is_fraction = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let whole: u64 = whole.parse().ok().filter(|_| is_fraction)?;
    whole.checked_add(u64::from(fraction.as_bytes().first() >= Some(&b'5')))
}

/// The length of the date of a time.
const DATE: usize = "2026-11-22".len();

/// Parses a time in ISO 8601 and converts it to UTC, as documented for every language.
/// The service writes `2026-11-22T08:16:38.000Z`; a space instead of the `T`, an offset
/// without a colon, and a missing offset, which means UTC, are accepted too.
pub(crate) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    // `time` accepts any character between date and time.
    let is_separated = matches!(text.as_bytes().get(DATE), Some(b'T' | b't' | b' '));
    let strict = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| is_separated);
    let time = strict(text).or_else(|| strict(&in_rfc_3339(text)?))?;
    // Other years could not be written as JSON.
    time.checked_to_offset(UtcOffset::UTC).filter(|time| (0..=9999).contains(&time.year()))
}

/// Converts a time from ISO 8601 to RFC 3339.
fn in_rfc_3339(text: &str) -> Option<String> {
    // No time is longer.
    let (date, time) = text.split_at_checked(DATE).filter(|_| text.len() < 48)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (clock, offset) = time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len()));
    let offset = match offset.len() {
        0 => "Z".to_owned(),
        3 => format!("{offset}:00"),
        5 => format!("{}:{}", offset.get(..3)?, offset.get(3..)?),
        _ => offset.to_owned(),
    };
    Some(format!("{date}T{clock}{offset}"))
}

#[cfg(test)]
mod tests;
