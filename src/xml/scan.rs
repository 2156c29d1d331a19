//! Prepares a document for the parser: checks it against the limits, so that parsing is
//! cheap whatever it contains, and removes everything that is not needed: declarations,
//! comments, instructions, and the white space that indents elements. Half of a list is
//! indentation, and each piece of it would become a node.
//!
//! Only what the parser does not check itself is checked here.

use super::character::is_allowed;
use super::limits;
use memchr::memchr;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many characters of a name or a reference an error shows.
const SHOWN: usize = 40;

/// What is wrong with a document, and the byte position.
pub(super) struct Problem {
    pub(super) what: Cow<'static, str>,
    pub(super) at: usize,
}

type Result<T, E = Cow<'static, str>> = std::result::Result<T, E>;

/// Returns the parts of a document that the parser needs.
pub(super) fn scan(text: &str) -> Result<String, Problem> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        kept: String::new(),
        kept_to: 0,
        blank: None,
        content: Content::Between,
        has_references: memchr(b'&', text.as_bytes()).is_some(),
        depth: 0,
        elements: 0,
        namespaces: 0,
    };
    match scanner.document() {
        Ok(()) => Ok(scanner.kept),
        Err(what) => Err(Problem { what, at: scanner.at }),
    }
}

/// What came last, which determines whether white space is text.
#[derive(Clone, Copy, PartialEq)]
enum Content {
    /// A start tag.
    StartTag,
    /// Text of an element.
    Text,
    /// An end tag, or nothing.
    Between,
}

struct Scanner<'a> {
    text: &'a str,
    /// The same as bytes, to find markup, whose characters are ASCII.
    bytes: &'a [u8],
    /// The current position.
    at: usize,
    /// The parts kept, except for the run from `kept_to` to `at`.
    kept: String,
    kept_to: usize,
    /// White space after a start tag: text if the end tag follows.
    blank: Option<(usize, usize)>,
    content: Content,
    has_references: bool,
    depth: usize,
    elements: usize,
    namespaces: usize,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<()> {
        self.kept.try_reserve_exact(self.text.len()).map_err(|_| "not enough memory")?;
        self.skip_prefix("\u{feff}");
        if self.rest().strip_prefix("<?xml").is_some_and(|rest| rest.starts_with(is_space)) {
            self.drop_through(0, "?>", "unterminated declaration")?;
        }
        while self.skip_to_markup()? {
            self.markup()?;
        }
        self.keep();
        if self.depth > 0 {
            return Err("unexpected end of input".into());
        }
        if self.elements == 0 {
            return Err("no root element".into());
        }
        // The parser reserves memory for that many attributes.
        let kept = self.kept.as_bytes();
        let may_exceed = kept.len() > limits::EQUALS_SIGNS;
        if may_exceed && count(b'=', kept) > limits::EQUALS_SIGNS {
            return Err(format!("more than {} equals signs", limits::EQUALS_SIGNS).into());
        }
        Ok(())
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Consumes text up to the next markup; returns false if there is none.
    fn skip_to_markup(&mut self) -> Result<bool> {
        let rest = &self.bytes[self.at..];
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        match rest.get(blanks) {
            Some(b'<') | None => {
                self.take_blanks(blanks);
                Ok(blanks < rest.len())
            }
            Some(_) => {
                let text = &rest[blanks..];
                let length = memchr(b'<', text).unwrap_or(text.len());
                self.take_text(blanks + length)?;
                Ok(length < text.len())
            }
        }
    }

    fn take_text(&mut self, length: usize) -> Result<()> {
        if self.depth == 0 {
            return Err("text outside the root element".into());
        }
        if self.has_references {
            self.check_references(length)?;
        }
        self.keep_blank();
        self.content = Content::Text;
        self.at += length;
        Ok(())
    }

    fn take_blanks(&mut self, length: usize) {
        if self.content == Content::Text {
            self.at += length;
            return;
        }
        if self.content == Content::StartTag && self.blank.is_none() && length > 0 {
            self.blank = Some((self.at, self.at + length));
        }
        self.drop(length);
    }

    fn markup(&mut self) -> Result<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'/') => return self.end_tag(),
            Some(b'?') => return self.instruction(),
            Some(b'!') => {}
            _ => return self.start_tag(),
        }
        let rest = self.rest();
        if rest.starts_with("<!--") {
            self.comment()
        } else if rest.starts_with("<![CDATA[") {
            let end = rest.find("]]>").ok_or("unterminated CDATA section")?;
            self.keep_blank();
            self.content = Content::Text;
            self.at += end + 3;
            Ok(())
        } else {
            Err("a document type declaration, which is not allowed".into())
        }
    }

    fn instruction(&mut self) -> Result<()> {
        let name = &self.rest()[2..];
        let end = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
        match &name[..end] {
            "" => Err("an instruction without a name".into()),
            xml if xml.eq_ignore_ascii_case("xml") => {
                Err("a declaration that is not at the start".into())
            }
            _ => self.drop_through(2, "?>", "unterminated processing instruction"),
        }
    }

    fn comment(&mut self) -> Result<()> {
        let length = self.rest()[4..].find("--").ok_or("unterminated comment")?;
        if !self.rest()[4 + length..].starts_with("-->") {
            return Err("-- in a comment".into());
        }
        self.drop_through(4, "-->", "unterminated comment")
    }

    fn start_tag(&mut self) -> Result<()> {
        if self.elements > 0 && self.depth == 0 {
            return Err("content after the root element".into());
        }
        self.elements += 1;
        let length = self.tag()?;
        if self.bytes[self.at..self.at + length].ends_with(b"/>") {
            self.content = Content::Between;
        } else {
            self.depth += 1;
            self.content = Content::StartTag;
        }
        if self.depth > limits::DEPTH {
            return Err(format!("more than {} nested elements", limits::DEPTH).into());
        }
        if self.elements > limits::ELEMENTS {
            return Err(format!("more than {} elements", limits::ELEMENTS).into());
        }
        self.blank = None;
        self.at += length;
        Ok(())
    }

    /// Returns the length of the start tag at the current position.
    fn tag(&mut self) -> Result<usize> {
        let rest = &self.bytes[self.at..];
        // Most tags are short and have no attributes.
        let end = rest.iter().position(|byte| matches!(byte, b'>' | b'"' | b'\''));
        match end.map(|end| (end, rest[end])) {
            None => Err("unterminated tag".into()),
            Some((end, b'>')) => Ok(end + 1),
            Some(_) => self.tag_with_attributes(),
        }
    }

    /// Does the same for a tag with attributes, which it counts.
    fn tag_with_attributes(&mut self) -> Result<usize> {
        let bytes = &self.bytes[self.at..];
        let (mut at, mut attributes) = (1, 0);
        loop {
            match bytes.get(at) {
                None => return Err("unterminated tag".into()),
                Some(b'>') => break,
                Some(b'=') => attributes += 1,
                Some(quote @ (b'"' | b'\'')) => {
                    let value = &bytes[at + 1..];
                    let end = value.iter().position(|byte| byte == quote);
                    at += 1 + end.ok_or("unterminated attribute value")?;
                }
                Some(_) => {}
            }
            at += 1;
        }
        if attributes > limits::ATTRIBUTES {
            let max = limits::ATTRIBUTES;
            return Err(format!("more than {max} attributes of one element").into());
        }
        self.namespaces += self.rest()[..at].matches("xmlns").count();
        self.check_references(at)?;
        if self.namespaces > limits::NAMESPACES {
            return Err(format!("more than {} namespaces", limits::NAMESPACES).into());
        }
        Ok(at + 1)
    }

    fn end_tag(&mut self) -> Result<()> {
        let mut rest = self.bytes[self.at..].iter();
        let length = rest.position(|byte| *byte == b'>').ok_or("unterminated end tag")?;
        // The parser checks that the names match.
        self.depth = self.depth.checked_sub(1).ok_or("unmatched end tag")?;
        self.keep_blank();
        self.content = Content::Between;
        self.at += length + 1;
        Ok(())
    }

    /// Checks the references in the next `length` bytes: the parser accepts some
    /// that are not characters.
    fn check_references(&mut self, length: usize) -> Result<()> {
        let text = &self.text[self.at..self.at + length];
        for (at, _) in text.match_indices('&') {
            let rest = &text[at + 1..];
            // A reference without an end could be completed by text after a dropped
            // comment.
            let name = rest.split_once(';').map(|(name, _)| name);
            let problem = match name.map(|name| (name, name.strip_prefix('#'))) {
                None => "unterminated reference".into(),
                Some((name, Some(number))) if numbered(number).is_none() => {
                    format!("&{}; is not an XML character", shown(name)).into()
                }
                Some(_) => continue,
            };
            self.at += at;
            return Err(problem);
        }
        Ok(())
    }

    /// Drops everything up to and including a mark, which is searched for after the
    /// first `first` bytes.
    fn drop_through(&mut self, first: usize, mark: &str, problem: &'static str) -> Result<()> {
        let length = self.rest()[first..].find(mark).ok_or(problem)?;
        let dropped = &self.rest()[first..first + length];
        if let Some(forbidden) = dropped.chars().find(|character| !is_allowed(*character)) {
            let what = format!("the character U+{:04X}, which XML forbids", u32::from(forbidden));
            return Err(what.into());
        }
        self.drop(first + length + mark.len());
        Ok(())
    }

    fn skip_prefix(&mut self, prefix: &str) {
        if self.rest().starts_with(prefix) {
            self.drop(prefix.len());
        }
    }

    fn drop(&mut self, length: usize) {
        if length > 0 {
            self.keep();
            self.at += length;
            self.kept_to = self.at;
        }
    }

    /// Keeps everything read since the last dropped part.
    fn keep(&mut self) {
        self.kept.push_str(&self.text[self.kept_to..self.at]);
        self.kept_to = self.at;
    }

    /// Keeps white space that turned out to be text.
    fn keep_blank(&mut self) {
        if let Some((from, to)) = self.blank.take() {
            self.keep();
            self.kept.push_str(&self.text[from..to]);
        }
    }
}

/// Adds to a problem where it is in a document: the element, numbered among those of
/// its name, and the line and column.
pub(super) fn locate(problem: &str, text: &str, at: usize) -> String {
    let before = &text[..at.min(text.len())];
    let mut open: Vec<(&str, usize, BTreeMap<&str, usize>)> = Vec::new();
    let mut rest = before;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("</", ">")];
        let special = skipped.iter().find(|(mark, _)| rest.starts_with(mark));
        let end = special.map_or_else(|| tag_end(rest), |(_, end)| find_end(rest, end));
        let Some(end) = end else { break };
        let tag = &rest[..end];
        rest = &rest[end..];
        if special.is_some_and(|(mark, _)| *mark == "</") {
            open.pop();
        } else if special.is_none() {
            let name = tag[1..].split(|c| !is_name(c)).next().unwrap_or_default();
            let number = open.last_mut().map_or(1, |(_, _, names)| {
                let count = names.entry(name).or_default();
                *count += 1;
                *count
            });
            if !tag.ends_with("/>") {
                open.push((name, number, BTreeMap::new()));
            }
        }
    }
    let path: Vec<_> = open.iter().map(|(name, number, _)| numbered_name(name, *number)).collect();
    let mut located = format!("{problem} (");
    if !path.is_empty() {
        let _ = write!(located, "in {}, ", path.join("/"));
    }
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let _ = write!(located, "line {line}, column {column})");
    located
}

/// Counts a byte. Compilers turn sums of single bytes into vector instructions.
fn count(byte_to_count: u8, bytes: &[u8]) -> usize {
    let in_chunk =
        |chunk: &[u8]| chunk.iter().map(|byte| u8::from(*byte == byte_to_count)).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

fn numbered_name(name: &str, number: usize) -> String {
    let name = shown(name);
    if number > 1 { format!("{name}[{number}]") } else { name }
}

fn find_end(text: &str, mark: &str) -> Option<usize> {
    text.find(mark).map(|at| at + mark.len())
}

/// Returns where a start tag ends.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Returns the character of a numeric reference (section 4.1).
fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // Rust would accept a sign.
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
    char::from_u32(code).filter(|character| is_allowed(*character))
}

/// Returns whether a name may contain this character; the parser is stricter.
fn is_name(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':')
}

/// Returns whether a byte is white space in XML (section 2.3).
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Shortens a name from a peer for an error message.
fn shown(name: &str) -> String {
    name.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}
