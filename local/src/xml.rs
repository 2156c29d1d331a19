//! Writes XML as the service does, and parses request bodies.

use crate::fault::Fault;
use osslive::xml::{Document, Element, Source};
use std::fmt::Display;

/// Writes a document, indented by two spaces, with text only in leaf elements.
pub struct Writer {
    out: String,
    depth: usize,
}

impl Writer {
    /// Writes a document whose root element is `root`.
    pub fn document(root: &str, content: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::begin();
        writer.element(root, content);
        writer.out
    }

    /// Writes a document whose root element contains text.
    pub fn leaf(root: &str, value: impl Display) -> String {
        let mut writer = Writer::begin();
        writer.text(root, value);
        writer.out
    }

    fn begin() -> Writer {
        Writer { out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), depth: 0 }
    }

    /// Writes an element that contains elements.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Writer)) {
        self.indent();
        self.out.extend(["<", name, ">\n"]);
        self.depth += 1;
        content(self);
        self.depth -= 1;
        self.indent();
        self.out.extend(["</", name, ">\n"]);
    }

    /// Writes an element that contains text; `<name></name>` if the text is empty.
    pub fn text(&mut self, name: &str, value: impl Display) {
        self.indent();
        self.out.extend(["<", name, ">"]);
        escape(&mut self.out, &value.to_string());
        self.out.extend(["</", name, ">\n"]);
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// Escapes text content, including carriage returns, which parsers would
/// otherwise read as line feeds. Characters that XML 1.0 cannot represent
/// (section 2.2 of the recommendation) become U+FFFD.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{FFFD}'),
        }
    }
}

/// Checks a request body against [`osslive::xml::limits`].
///
/// # Errors
///
/// 400 `MalformedXML`.
pub fn check(body: &[u8]) -> Result<Source<'_>, Fault> {
    Source::check(body).map_err(|_| malformed())
}

/// Parses a request body whose root element must be `root`.
///
/// # Errors
///
/// 400 `MalformedXML`.
pub fn parse<'a>(source: &'a Source<'_>, root: &str) -> Result<Document<'a>, Fault> {
    let document = Document::parse(source).map_err(|_| malformed())?;
    if document.root().name() != root {
        return Err(malformed());
    }
    Ok(document)
}

/// Returns the fault for a body that is not the expected XML.
pub fn malformed() -> Fault {
    const MESSAGE: &str = "The XML you provided was not well-formed or did not validate against \
                           our published schema.";
    Fault::new(400, "MalformedXML", MESSAGE)
}

/// Returns the children of an element with the name `name`, in order.
pub fn children<'t, 'a>(
    element: Element<'t, 'a>,
    name: &'t str,
) -> impl Iterator<Item = Element<'t, 'a>> {
    element.children().filter(move |child| child.name() == name)
}

/// Returns the unchanged text of the first child with the name `name`; `None`
/// without such a child.
pub fn child_text(element: Element<'_, '_>, name: &str) -> Option<String> {
    element.children().find(|child| child.name() == name).map(text)
}

/// Returns the unchanged text of an element.
pub fn text(element: Element<'_, '_>) -> String {
    element.text().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &[u8]) -> Fault {
        let source = match check(body) {
            Ok(source) => source,
            Err(fault) => return fault,
        };
        parse(&source, "A").unwrap_err()
    }

    #[test]
    fn documents_match_the_services_samples() {
        let text = Writer::document("A", |xml| {
            xml.text("B", "");
            xml.element("C", |xml| xml.text("D", 5));
        });
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<A>\n  <B></B>\n  <C>\n    \
                        <D>5</D>\n  </C>\n</A>\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn text_round_trips_except_for_characters_that_xml_cannot_represent() {
        for (written, read) in [
            ("a<b>&\"'c]]>", "a<b>&\"'c]]>"),
            ("直播 é 🎥", "直播 é 🎥"),
            (" \t\r\n ", " \t\r\n "),
            ("a\u{0}b\u{1b}c\u{ffff}d", "a\u{fffd}b\u{fffd}c\u{fffd}d"),
        ] {
            let text = Writer::document("A", |xml| xml.text("B", written));
            let source = check(text.as_bytes()).unwrap();
            let document = parse(&source, "A").unwrap();
            assert_eq!(child_text(document.root(), "B").as_deref(), Some(read));
        }
    }

    #[test]
    fn adjacent_text_nodes_are_joined() {
        let source = check(b"<A><B>x<!-- y --><![CDATA[<z>]]>&#65;</B></A>").unwrap();
        let document = parse(&source, "A").unwrap();
        assert_eq!(child_text(document.root(), "B").as_deref(), Some("x<z>A"));
        assert_eq!(child_text(document.root(), "b"), None);
    }

    #[test]
    fn anything_but_the_expected_document_is_malformed() {
        for body in [
            &b""[..],
            b"<A>",
            b"<B/>",
            b"<A>&undefined;</A>",
            b"<A>\xff</A>",
            b"<!DOCTYPE A><A/>",
            b"<!DOCTYPE A [<!ENTITY x \"y\">]><A>&x;</A>",
            b"<A/><A/>",
            b"<A>&#xD800;</A>",
            b"<A>&#x110000;</A>",
            b"<A>&#x1;</A>",
            b"<A b='&#1;'/>",
            b"<A b='1' b='2'/>",
        ] {
            assert_eq!(refusal(body).code, "MalformedXML");
        }
    }

    #[test]
    fn a_document_that_exceeds_the_limits_is_malformed() {
        let nested = |depth: usize| format!("{}{}", "<A>".repeat(depth), "</A>".repeat(depth));
        let declarations: String = (0..33).map(|at| format!(" xmlns:n{at}='u'")).collect();
        for body in [nested(65), nested(200_000), format!("<A{declarations}/>")] {
            assert_eq!(refusal(body.as_bytes()).code, "MalformedXML");
        }
        assert!(check(nested(64).as_bytes()).is_ok());
    }
}
