//! An unambiguous subset of YAML.
//!
//! Values are taken as written and never guessed: `no`, `1e3` and `0x10` are
//! strings. References (aliases, tags, merge keys) are rejected, so that nothing
//! can expand, and the caller asks for what it expects, so that nothing can nest
//! deeper than that.

use super::mistake::{Mistake, Result};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};
use std::collections::HashMap;

/// A scalar and its position.
pub(super) struct Scalar {
    pub(super) text: String,
    is_plain: bool,
    place: Place,
}

/// The position where something begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) line: u64,
    column: usize,
}

impl Place {
    fn of(marker: &Marker) -> Self {
        Place { line: marker.line() as u64, column: marker.col() + 1 }
    }

    pub(super) fn wrong(self, what: impl Into<String>) -> Mistake {
        Mistake::at(self.line, self.column, what)
    }
}

impl Scalar {
    fn new(text: &str, style: ScalarStyle, place: Place) -> Self {
        Scalar { text: text.to_owned(), is_plain: style == ScalarStyle::Plain, place }
    }

    pub(super) fn line(&self) -> u64 {
        self.place.line
    }

    pub(super) fn wrong(&self, what: impl Into<String>) -> Mistake {
        self.place.wrong(what)
    }

    /// Returns whether YAML treats it as null.
    fn is_null(&self) -> bool {
        self.is_plain && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }
}

/// Reads a whole document.
pub(super) struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Reader { parser: Parser::new_from_str(text) }
    }

    /// Moves to the document's mapping. Returns whether there is one.
    pub(super) fn start(&mut self) -> Result<bool> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_), _) => {}
                (Event::MappingStart(..), _) => return Ok(true),
                (Event::StreamEnd, _) => return Ok(false),
                (Event::Scalar(text, style, ..), place) => {
                    let scalar = Scalar::new(&text, style, place);
                    match scalar.is_null() {
                        true => return self.end().map(|()| false),
                        false => return Err(place.wrong(NO_MAPPING)),
                    }
                }
                (_, place) => return Err(place.wrong(NO_MAPPING)),
            }
        }
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result<()> {
        loop {
            match self.next()? {
                (Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(()),
                (_, place) => return Err(place.wrong("the file must be a single document")),
            }
        }
    }

    /// Reads the keys of a mapping, which must be unique; `each` reads the value.
    pub(super) fn mapping(
        &mut self,
        mut each: impl FnMut(&mut Self, Scalar) -> Result<()>,
    ) -> Result<()> {
        let mut lines: HashMap<String, u64> = HashMap::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(()),
                (Event::Scalar(text, style, ..), place) => Scalar::new(&text, style, place),
                (_, place) => return Err(place.wrong("a key must be a string")),
            };
            if key.is_null() {
                return Err(key.wrong("missing key: quote it if it is a string"));
            }
            if key.is_plain && key.text == "<<" {
                return Err(key.wrong("merge keys are not supported: use defaults"));
            }
            if let Some(line) = lines.insert(key.text.clone(), key.line()) {
                return Err(key.wrong(format!("{:?} is already on line {line}", key.text)));
            }
            each(self, key)?;
        }
    }

    /// Begins a mapping and returns its position; `None` if there is no value.
    pub(super) fn start_mapping(&mut self, of: &str) -> Result<Option<Place>> {
        match self.next()? {
            (Event::MappingStart(..), place) => Ok(Some(place)),
            (Event::Scalar(text, style, ..), place) => {
                let scalar = Scalar::new(&text, style, place);
                match scalar.is_null() {
                    true => Ok(None),
                    false => Err(scalar.wrong(format!("{of}: must be a mapping, not {text:?}"))),
                }
            }
            (_, place) => Err(place.wrong(format!("{of}: must be a mapping, not a list"))),
        }
    }

    /// Reads a string; numbers and words such as `no` are taken as written.
    pub(super) fn text(&mut self, field: &str) -> Result<Scalar> {
        let scalar = self.scalar(field)?;
        match (scalar.is_null(), &*scalar.text) {
            (false, _) => Ok(scalar),
            (true, "") => Err(scalar.wrong(format!(
                "{field}: no value: remove it for the default, or write \"\" for an empty string"
            ))),
            (true, null) => {
                Err(scalar
                    .wrong(format!("{field}: {null} means no value: quote it if it is a string")))
            }
        }
    }

    /// Reads a whole number. 010 is rejected, because some parsers read it as 8.
    pub(super) fn number(&mut self, field: &str) -> Result<Scalar> {
        let scalar = self.scalar(field)?;
        let number: std::result::Result<u32, _> = scalar.text.parse();
        match number.is_ok_and(|number| scalar.is_plain && number.to_string() == scalar.text) {
            true => Ok(scalar),
            false => {
                let text = &scalar.text;
                let what =
                    if scalar.is_plain { format!("{text:?}") } else { "a string".to_owned() };
                Err(scalar.wrong(format!("{field}: must be a whole number, not {what}")))
            }
        }
    }

    fn scalar(&mut self, field: &str) -> Result<Scalar> {
        match self.next()? {
            (Event::Scalar(text, style, ..), place) => Ok(Scalar::new(&text, style, place)),
            (_, place) => Err(place.wrong(format!("{field}: must be a single value"))),
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Place)> {
        let (event, span) = match self.parser.next_event() {
            Some(Ok(event)) => event,
            Some(Err(error)) => {
                let place = Place::of(error.marker());
                return Err(place.wrong(format!("invalid YAML: {}", error.info())));
            }
            None => return Err(Mistake::new("invalid YAML: unexpected end")),
        };
        let place = Place::of(&span.start);
        let (is_anchored, is_tagged) = match &event {
            Event::Alias(_) => (true, false),
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag) => (*anchor != 0, tag.is_some()),
            _ => (false, false),
        };
        if is_anchored {
            return Err(place.wrong("anchors and aliases are not supported: use defaults"));
        }
        if is_tagged {
            return Err(place.wrong("tags are not supported"));
        }
        Ok((event, place))
    }
}

const NO_MAPPING: &str = "the file must be a mapping with a channels field";
