//! The XML that the service writes and reads: elements, text, CDATA sections
//! and references. Declarations, comments, instructions and attributes are
//! checked and skipped. Each byte is looked at a few times at most.

use super::limits;
use std::borrow::Cow;
use std::collections::TryReserveError;
use std::fmt::Write as _;

/// How much of a name or a reference an error shows.
const SHOWN: usize = 40;

/// An element.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    /// The texts between its children, one after the other.
    pub(super) text: Cow<'a, str>,
    /// The index of the first element that is not inside this one.
    pub(super) end: usize,
}

/// What is wrong with a document.
type Fault = Cow<'static, str>;

/// Reads a document; the root is the first of its elements.
pub(super) fn read(text: &str) -> Result<Vec<Node<'_>>, Fault> {
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest, nodes: Vec::new(), open: Vec::new() };
    match reader.document() {
        Ok(()) => Ok(reader.nodes),
        Err(fault) => Err(reader.locate(&fault, text).into()),
    }
}

struct Reader<'a> {
    rest: &'a str,
    nodes: Vec<Node<'a>>,
    /// The elements that have begun and not ended, the innermost last.
    open: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<(), Fault> {
        if self.rest.strip_prefix("<?xml").is_some_and(|rest| rest.starts_with(is_space)) {
            self.take_through("?>", "a declaration without an end")?;
        }
        loop {
            let markup = self.rest.find('<');
            let text = self.rest.get(..markup.unwrap_or(self.rest.len())).unwrap_or_default();
            self.text(text)?;
            self.rest = &self.rest[text.len()..];
            if markup.is_none() {
                break;
            }
            self.markup()?;
        }
        if !self.open.is_empty() {
            return Err("unexpected end of input".into());
        }
        if self.nodes.is_empty() { Err("no root element".into()) } else { Ok(()) }
    }

    fn markup(&mut self) -> Result<(), Fault> {
        if self.skip("</") {
            self.end_tag()
        } else if self.skip("<?") {
            self.instruction()
        } else if self.skip("<!--") {
            self.comment()
        } else if self.skip("<![CDATA[") {
            let text = self.take_through("]]>", "a CDATA section without an end")?;
            check_characters(text)?;
            self.add(with_line_feeds(text)?)
        } else if self.skip("<!") {
            Err("a document type declaration, which is not allowed".into())
        } else {
            self.skip("<");
            self.start_tag()
        }
    }

    fn instruction(&mut self) -> Result<(), Fault> {
        if self.name()?.eq_ignore_ascii_case("xml") {
            return Err("a declaration that is not at the start".into());
        }
        check_characters(self.take_through("?>", "an instruction without an end")?)
    }

    fn comment(&mut self) -> Result<(), Fault> {
        let text = self.take_through("--", "a comment without an end")?;
        if !self.skip(">") {
            return Err("-- in a comment".into());
        }
        check_characters(text)
    }

    fn start_tag(&mut self) -> Result<(), Fault> {
        let name = self.name()?;
        match self.open.last() {
            None if !self.nodes.is_empty() => return Err("content after the root element".into()),
            // White space before the first child only indents it.
            Some(&at) if at + 1 == self.nodes.len() => self.nodes[at].drop_blank(),
            _ => {}
        }
        if self.open.len() == limits::DEPTH {
            return Err(format!("more than {} nested elements", limits::DEPTH).into());
        }
        if self.nodes.len() == limits::ELEMENTS {
            return Err(format!("more than {} elements", limits::ELEMENTS).into());
        }
        self.open.push(self.nodes.len());
        self.nodes.try_reserve(1).map_err(no_memory)?;
        self.nodes.push(Node { name, text: Cow::Borrowed(""), end: 0 });
        if self.skip(">") {
            return Ok(());
        }
        self.attributes()?;
        if self.skip("/>") {
            self.end(name)
        } else if self.skip(">") {
            Ok(())
        } else {
            Err("a tag without an end".into())
        }
    }

    fn attributes(&mut self) -> Result<(), Fault> {
        let mut names = [""; limits::ATTRIBUTES];
        for count in 0.. {
            let is_apart = self.skip_space();
            if self.rest.is_empty() || self.rest.starts_with(['/', '>']) {
                break;
            }
            if !is_apart {
                return Err("an attribute without a space before it".into());
            }
            if count == limits::ATTRIBUTES {
                let most = limits::ATTRIBUTES;
                return Err(format!("more than {most} attributes of one element").into());
            }
            let name = self.attribute()?;
            if names[..count].contains(&name) {
                return Err(format!("two attributes named {}", shown(name)).into());
            }
            names[count] = name;
        }
        Ok(())
    }

    fn attribute(&mut self) -> Result<&'a str, Fault> {
        let name = self.name()?;
        self.skip_space();
        if !self.skip("=") {
            return Err("an attribute without a value".into());
        }
        self.skip_space();
        let quote = if self.skip("\"") {
            "\""
        } else if self.skip("'") {
            "'"
        } else {
            return Err("an attribute without quotes".into());
        };
        let value = self.take_through(quote, "an attribute without an end")?;
        if value.contains('<') {
            return Err("< in an attribute".into());
        }
        check_characters(value)?;
        check_references(value).map(|()| name)
    }

    fn end_tag(&mut self) -> Result<(), Fault> {
        let name = self.name()?;
        self.skip_space();
        if self.skip(">") { self.end(name) } else { Err("an end tag without an end".into()) }
    }

    fn end(&mut self, name: &str) -> Result<(), Fault> {
        let end = self.nodes.len();
        match self.open.last().and_then(|at| self.nodes.get_mut(*at)) {
            Some(node) if node.name == name => node.end = end,
            _ => return Err(format!("</{}> does not match", shown(name)).into()),
        }
        self.open.pop();
        Ok(())
    }

    /// Adds text as it is in the document.
    fn text(&mut self, text: &'a str) -> Result<(), Fault> {
        if self.open.is_empty() && text.bytes().all(is_blank) {
            return Ok(());
        }
        let is_plain = !text.bytes().any(|byte| IS_SPECIAL[usize::from(byte)]);
        self.add(if is_plain { Cow::Borrowed(text) } else { decoded(text)? })
    }

    /// Adds to the text of the innermost element.
    fn add(&mut self, text: Cow<'a, str>) -> Result<(), Fault> {
        let Some(&at) = self.open.last() else {
            return Err("text outside the root element".into());
        };
        let has_children = at + 1 < self.nodes.len();
        let node = &mut self.nodes[at];
        if has_children && text.bytes().all(is_blank) {
            return Ok(());
        }
        if node.text.is_empty() {
            node.text = text;
            return Ok(());
        }
        if let Cow::Borrowed(first) = node.text {
            node.text = Cow::Owned(copied(first)?);
        }
        let whole = node.text.to_mut();
        whole.try_reserve(text.len()).map_err(no_memory)?;
        whole.push_str(&text);
        Ok(())
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Skips white space; whether there was any.
    fn skip_space(&mut self) -> bool {
        let rest = self.rest.trim_start_matches(is_space);
        let is_any = rest.len() < self.rest.len();
        self.rest = rest;
        is_any
    }

    /// Takes the name of an element, an attribute or an instruction.
    fn name(&mut self) -> Result<&'a str, Fault> {
        let end = self.rest.bytes().position(|byte| !IS_NAME[usize::from(byte)]);
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        match name.as_bytes().first() {
            None | Some(b'-' | b'.' | b'0'..=b'9') => Err("a tag without a name".into()),
            Some(_) => {
                self.rest = rest;
                Ok(name)
            }
        }
    }

    /// Takes what is before a mark in ASCII, and the mark.
    fn take_through(&mut self, mark: &str, fault: &'static str) -> Result<&'a str, Fault> {
        let (bytes, first) = (self.rest.as_bytes(), mark.as_bytes().first());
        // A general search would cost more to prepare than most of these run.
        let is_mark =
            |at: &usize| bytes.get(*at) == first && bytes[*at..].starts_with(mark.as_bytes());
        let at = (0..bytes.len()).find(is_mark).ok_or(fault)?;
        let before = &self.rest[..at];
        self.rest = &self.rest[at + mark.len()..];
        Ok(before)
    }

    /// Says where in `text` a fault is: the element, numbered among those of
    /// its name, and the line and column.
    fn locate(&self, fault: &str, text: &str) -> String {
        let mut located = format!("{fault} (");
        let mut parent = None;
        for &at in &self.open {
            let name = self.nodes[at].name;
            let before = match parent {
                Some(parent) => self.siblings(parent + 1, at, name),
                None => 0,
            };
            located.push_str(if parent.is_some() { "/" } else { "in " });
            located.push_str(&shown(name));
            if before > 0 {
                let _ = write!(located, "[{}]", before + 1);
            }
            parent = Some(at);
        }
        let before = &text[..text.len() - self.rest.len()];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let comma = if parent.is_some() { ", " } else { "" };
        let _ = write!(located, "{comma}line {line}, column {column})");
        located
    }

    /// Counts the elements of a name from `first` on, before their sibling.
    fn siblings(&self, first: usize, sibling: usize, name: &str) -> usize {
        let next = |at: &usize| Some(self.nodes[*at].end);
        let before = std::iter::successors(Some(first), next).take_while(|at| *at < sibling);
        before.filter(|at| self.nodes[*at].name == name).count()
    }
}

impl Node<'_> {
    fn drop_blank(&mut self) {
        if self.text.bytes().all(is_blank) {
            self.text = Cow::Borrowed("");
        }
    }
}

/// A table of the bytes for which a function is true.
macro_rules! table {
    ($is_in:ident) => {{
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = $is_in(byte as u8);
            byte += 1;
        }
        table
    }};
}

const IS_NAME: [bool; 256] = table!(is_name);
const IS_SPECIAL: [bool; 256] = table!(is_special);

/// Whether a name may have this byte; letters beyond ASCII are not told apart.
const fn is_name(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':')
}

/// Whether a text with this byte may be something else than it says, or not
/// allowed: 0xEF begins U+FFFE and U+FFFF.
const fn is_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'>' | 0xEF) || (byte < b' ' && byte != b'\n' && byte != b'\t')
}

/// XML's white space (section 2.3).
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// A text with its references replaced.
fn decoded(text: &str) -> Result<Cow<'_, str>, Fault> {
    check_characters(text)?;
    if text.contains("]]>") {
        return Err("]]> in a text".into());
    }
    if !text.contains('&') {
        return with_line_feeds(text);
    }
    // No reference is shorter than what it stands for.
    let mut decoded = with_room_for(text)?;
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte == b'&') {
        push_with_line_feeds(&mut decoded, &rest[..at]);
        let (character, after) = reference(&rest[at + 1..])?;
        decoded.push(character);
        rest = after;
    }
    push_with_line_feeds(&mut decoded, rest);
    Ok(Cow::Owned(decoded))
}

fn check_references(mut text: &str) -> Result<(), Fault> {
    while let Some(at) = text.bytes().position(|byte| byte == b'&') {
        text = reference(&text[at + 1..])?.1;
    }
    Ok(())
}

/// The character that a reference stands for, and what comes after it.
fn reference(piece: &str) -> Result<(char, &str), Fault> {
    let end = piece.bytes().position(|byte| byte == b';');
    let (name, rest) = piece.split_at(end.ok_or("a reference without an end")?);
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => numbered(name).ok_or_else(|| not_a_character(name))?,
    };
    Ok((character, &rest[1..]))
}

fn not_a_character(reference: &str) -> Fault {
    format!("&{}; is not a character of XML", shown(reference)).into()
}

/// The character that a reference names by its number (section 4.1).
fn numbered(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // Rust would take a sign.
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
    char::from_u32(code).filter(|character| is_carried(*character))
}

fn check_characters(text: &str) -> Result<(), Fault> {
    match text.chars().find(|character| !is_carried(*character)) {
        None => Ok(()),
        Some(bad) => {
            Err(format!("the character U+{:04X}, which XML does not allow", u32::from(bad)).into())
        }
    }
}

/// The end of a line is one line feed (section 2.11).
fn with_line_feeds(text: &str) -> Result<Cow<'_, str>, Fault> {
    if !text.contains('\r') {
        return Ok(Cow::Borrowed(text));
    }
    let mut unified = with_room_for(text)?;
    push_with_line_feeds(&mut unified, text);
    Ok(Cow::Owned(unified))
}

/// Adds a text for which there is room.
fn push_with_line_feeds(to: &mut String, mut text: &str) {
    while let Some(at) = text.bytes().position(|byte| byte == b'\r') {
        if at > 0 {
            to.push_str(&text[..at]);
        }
        to.push('\n');
        let rest = &text[at + 1..];
        text = rest.strip_prefix('\n').unwrap_or(rest);
    }
    to.push_str(text);
}

fn copied(text: &str) -> Result<String, Fault> {
    let mut copy = with_room_for(text)?;
    copy.push_str(text);
    Ok(copy)
}

/// An empty string with room for a text.
fn with_room_for(text: &str) -> Result<String, Fault> {
    let mut empty = String::new();
    empty.try_reserve_exact(text.len()).map_err(no_memory)?;
    Ok(empty)
}

fn no_memory(_: TryReserveError) -> Fault {
    "not enough memory for it".into()
}

/// The beginning of a name that a peer chose.
fn shown(name: &str) -> String {
    name.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}

pub(super) fn is_carried(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
