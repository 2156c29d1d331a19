//! The documents of the service: request bodies out, reply bodies in.

use crate::error::{Error, Result};
use std::borrow::Cow;
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How many tags a reply may have: fifty times those of a list of 1,000
/// channels. Each element takes some fifty bytes of memory.
const MAX_TAGS: usize = 1_000_000;

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

/// A reply body: its elements in the order in which they begin.
pub(crate) struct Document<'a>(Vec<Node<'a>>);

struct Node<'a> {
    name: &'a str,
    /// The texts between its children, one after the other.
    text: Cow<'a, str>,
    /// Where the first element stands that is not inside this one.
    end: usize,
}

impl<'a> Document<'a> {
    /// Parses a body. DTDs are refused: the service sends none, and they are
    /// how small documents grow large.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::bad_reply("the body is empty"));
        }
        // Counted before any memory is taken; a short body cannot have so many.
        let tags = || body.iter().filter(|byte| **byte == b'<').count();
        if body.len() > MAX_TAGS && tags() > MAX_TAGS {
            return Err(Error::bad_reply("the body has too many elements"));
        }
        let text = std::str::from_utf8(body)
            .map_err(|error| Error::bad_reply("the body is not UTF-8").with_source(error))?;
        Parser::new(text)
            .run()
            .map(Document)
            .map_err(|fault| Error::bad_reply(format!("the body is not the expected XML: {fault}")))
    }

    pub(crate) fn root(&self) -> Element<'_, 'a> {
        Element { nodes: &self.0, at: 0 }
    }
}

/// What is wrong with a document.
type Fault = &'static str;

/// Reads the XML that a reply may be made of: elements, texts, CDATA and
/// references, with declarations, comments, instructions and attributes
/// skipped. Looks at each byte once or twice, whatever the document: a reply
/// may be made to hurt.
struct Parser<'a> {
    rest: &'a str,
    nodes: Vec<Node<'a>>,
    /// The elements that have begun and not ended, the innermost last.
    open: Vec<usize>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        Parser { rest, nodes: Vec::new(), open: Vec::new() }
    }

    fn run(mut self) -> Result<Vec<Node<'a>>, Fault> {
        loop {
            let markup = self.rest.find('<');
            let text = self.take(markup.unwrap_or(self.rest.len()));
            self.text(text)?;
            if markup.is_none() {
                break;
            }
            self.markup()?;
        }
        if !self.open.is_empty() {
            return Err("it ends inside an element");
        }
        if self.nodes.is_empty() { Err("it has no element") } else { Ok(self.nodes) }
    }

    fn markup(&mut self) -> Result<(), Fault> {
        if self.skip("</") {
            self.end_tag()
        } else if self.skip("<?") {
            self.take_through("?>", "an instruction has no end").map(drop)
        } else if self.skip("<!--") {
            self.take_through("-->", "a comment has no end").map(drop)
        } else if self.skip("<![CDATA[") {
            let text = self.take_through("]]>", "a CDATA section has no end")?;
            self.add(Cow::Owned(with_line_feeds(text)))
        } else if self.skip("<!") {
            Err("it has a DTD")
        } else {
            self.skip("<");
            self.start_tag()
        }
    }

    fn start_tag(&mut self) -> Result<(), Fault> {
        let name = self.take_until(|byte| matches!(byte, b'>' | b'/' | b'<' | 0..=b' '));
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':') {
            return Err("a tag has no name");
        }
        if self.open.is_empty() && !self.nodes.is_empty() {
            return Err("it goes on after its root");
        }
        self.open.push(self.nodes.len());
        self.nodes.push(Node { name, text: Cow::Borrowed(""), end: 0 });
        self.skip_attributes()?;
        if self.skip(">") {
            Ok(())
        } else if self.skip("/>") {
            self.end(name)
        } else {
            Err("a tag has no end")
        }
    }

    /// Skips to the end of a tag. The same characters may stand in quotes.
    fn skip_attributes(&mut self) -> Result<(), Fault> {
        loop {
            self.take_until(|byte| matches!(byte, b'>' | b'/' | b'<' | b'"' | b'\''));
            let quote = if self.skip("\"") {
                "\""
            } else if self.skip("'") {
                "'"
            } else {
                return Ok(());
            };
            self.take_through(quote, "an attribute has no end")?;
        }
    }

    fn end_tag(&mut self) -> Result<(), Fault> {
        let name = self.take_until(|byte| matches!(byte, b'>' | b'<' | 0..=b' '));
        self.take_until(|byte| !byte.is_ascii_whitespace());
        if self.skip(">") { self.end(name) } else { Err("an end tag has no end") }
    }

    fn end(&mut self, name: &str) -> Result<(), Fault> {
        let end = self.nodes.len();
        match self.open.pop().and_then(|at| self.nodes.get_mut(at)) {
            Some(node) if node.name == name => node.end = end,
            _ => return Err("an end tag does not match"),
        }
        Ok(())
    }

    /// A text as it stands in the document.
    fn text(&mut self, text: &'a str) -> Result<(), Fault> {
        let is_plain = !text.bytes().any(|byte| byte == b'&' || (byte < b' ' && byte != b'\n'));
        self.add(if is_plain { Cow::Borrowed(text) } else { Cow::Owned(decoded(text)?) })
    }

    /// Adds to the text of the innermost element.
    fn add(&mut self, text: Cow<'a, str>) -> Result<(), Fault> {
        let is_blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
        let Some(node) = self.open.last().and_then(|at| self.nodes.get_mut(*at)) else {
            return if is_blank { Ok(()) } else { Err("it has a text outside of its root") };
        };
        if !node.text.is_empty() {
            node.text.to_mut().push_str(&text);
        } else if !is_blank {
            // A text is read without the white space around it, so that what
            // only indents children need not be kept.
            node.text = text;
        }
        Ok(())
    }

    fn skip(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (before, rest) = self.rest.split_at(length);
        self.rest = rest;
        before
    }

    /// Takes what stands before the first of some ASCII characters.
    fn take_until(&mut self, is_end: impl Fn(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(is_end);
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// Takes what stands before a mark, and the mark.
    fn take_through(&mut self, mark: &str, fault: Fault) -> Result<&'a str, Fault> {
        let (before, rest) = self.rest.split_once(mark).ok_or(fault)?;
        self.rest = rest;
        Ok(before)
    }
}

/// A text with its references replaced, and without control characters.
fn decoded(mut rest: &str) -> Result<String, Fault> {
    if rest.bytes().any(|byte| matches!(byte, 0..=8 | 11 | 12 | 14..=31)) {
        return Err("it has control characters");
    }
    let mut text = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';').ok_or("a reference has no end")?;
        text.push_str(&with_line_feeds(before));
        text.push(referred(name).ok_or("a reference is not known")?);
        rest = after;
    }
    text.push_str(&with_line_feeds(rest));
    Ok(text)
}

/// The end of a line is one line feed (XML 1.0 section 2.11).
fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The references that need no DTD (XML 1.0 sections 4.1 and 4.6).
fn referred(name: &str) -> Option<char> {
    match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => {}
    }
    let number = name.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    // Rust would take a sign.
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
    let character = char::from_u32(code)?;
    can_carry(character.encode_utf8(&mut [0; 4])).then_some(character)
}

/// An element of a reply. Readers walk its children once and take what they
/// know, so that order and unknown elements do not matter.
#[derive(Clone, Copy)]
pub(crate) struct Element<'t, 'a> {
    nodes: &'t [Node<'a>],
    at: usize,
}

impl<'t, 'a> Element<'t, 'a> {
    /// The name without its namespace.
    pub(crate) fn name(&self) -> &'t str {
        let name = self.nodes[self.at].name;
        let prefix = name.bytes().position(|byte| byte == b':');
        prefix.map_or(name, |end| &name[end + 1..])
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = Element<'t, 'a>> + use<'t, 'a> {
        let nodes = self.nodes;
        let end = nodes[self.at].end;
        let child = move |at| (at < end).then_some(Element { nodes, at });
        std::iter::successors(child(self.at + 1), move |last| child(nodes[last.at].end))
    }

    /// The text, without the white space around it.
    pub(crate) fn text(&self) -> &'t str {
        self.nodes[self.at].text.trim()
    }

    pub(crate) fn string(&self) -> String {
        self.text().to_owned()
    }

    pub(crate) fn number<N: FromStr>(&self) -> Result<N> {
        let text = self.text();
        text.parse().map_err(|_| self.bad(text, "a number in range"))
    }

    pub(crate) fn boolean(&self) -> Result<bool> {
        match self.text() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => Err(self.bad(text, "true or false")),
        }
    }

    /// A time in ISO 8601, as the service writes it.
    pub(crate) fn time(&self) -> Result<OffsetDateTime> {
        let text = self.text();
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
            (b"<A></B>", "match"),
            (b"</A>", "match"),
            (b"<A/><B/>", "after its root"),
            (b"<A/>b", "outside"),
            (b"a", "outside"),
            (b"<!-- -->", "no element"),
            (b"<A b='>", "attribute"),
            (b"<A", "tag"),
            (b"<1/>", "name"),
            (b"<A>&nbsp;</A>", "reference"),
            (b"<A>&amp</A>", "reference"),
            (b"<A>&#0;</A>", "reference"),
            (b"<A>&#+65;</A>", "reference"),
            (b"<A>\x01</A>", "control"),
            (b"<A><!-- </A>", "comment"),
            (b"<A><![CDATA[ </A>", "CDATA"),
            (b"<!DOCTYPE A [<!ENTITY e 'x'>]><A>&e;</A>", "DTD"),
        ] {
            let error = Document::parse(body).err().unwrap();
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn what_readers_do_not_need_is_skipped() {
        let document = "\u{feff}<?xml version='1.0'?>\n<!-- <B> --><?go ?>\r\n\
            <n:A x='>' y=\"/>\"><n:B/> <C z = '1' >c</C > </n:A>\n<!-- -->";
        let document = Document::parse(document.as_bytes()).unwrap();
        assert_eq!(document.root().name(), "A");
        let children: Vec<_> = document.root().children().map(|c| (c.name(), c.text())).collect();
        assert_eq!(children, [("B", ""), ("C", "c")]);
    }

    #[test]
    fn ends_of_lines_become_line_feeds_and_characters_named_by_number_stay() {
        assert_eq!(text_of("<A>a\r\nb\rc&#13;d&#x20;e<![CDATA[\r\n]]>f</A>"), "a\nb\nc\rd e\nf");
    }

    /// Documents that differ from good ones in a few places.
    fn mangled(seeds: &[&str], count: usize) -> Vec<String> {
        const BITS: &[&str] = &[
            "<",
            ">",
            "/",
            "&",
            ";",
            "&amp;",
            "&#9;",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?p ?>",
            " ",
            "\r",
            "\n",
            "\"",
            "'",
            "=",
            "x",
            "\u{1}",
            "é",
            "<A>",
            "</A>",
            "<B/>",
            "=",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let mut mangle = |_| {
            let mut text: Vec<char> = seeds[random(seeds.len())].chars().collect();
            for _ in 0..=random(3) {
                let from = random(text.len() + 1);
                let to = (from + random(4)).min(text.len());
                let bit = if random(3) == 0 { "" } else { BITS[random(BITS.len())] };
                text.splice(from..to, bit.chars());
            }
            text.into_iter().collect()
        };
        (0..count).map(&mut mangle).collect()
    }

    #[test]
    fn every_document_that_another_parser_takes_reads_the_same() {
        fn ours(element: Element<'_, '_>) -> String {
            let children: String = element.children().map(ours).collect();
            format!("{}({:?}{children})", element.name(), element.text())
        }
        fn theirs(node: roxmltree::Node<'_, '_>) -> String {
            let texts = node.children().filter(|node| node.is_text());
            let text: String = texts.filter_map(|node| node.text()).collect();
            let children: String =
                node.children().filter(|node| node.is_element()).map(theirs).collect();
            format!("{}({:?}{children})", node.tag_name().name(), text.trim())
        }
        let seeds = [
            "<?xml version=\"1.0\"?>\n<A><B x=\"1\">b&lt;</B>\r\n<!-- c --><C/></A>\n",
            "<A>a<![CDATA[<b>]]>c<B>é</B>d&#38;e</A>",
            "<Stat><Status>Live</Status><Video><Width>1280</Width></Video></Stat>",
        ];
        let mut both = 0;
        for document in mangled(&seeds, 20_000) {
            let Ok(tree) = roxmltree::Document::parse(&document) else {
                // It refuses more than is needed here; it must only end.
                let _ = Document::parse(document.as_bytes());
                continue;
            };
            let parsed = Document::parse(document.as_bytes())
                .unwrap_or_else(|error| panic!("{error}: {document:?}"));
            assert_eq!(ours(parsed.root()), theirs(tree.root_element()), "{document:?}");
            both += 1;
        }
        assert!(both > 1000, "only {both} documents were well-formed");
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
