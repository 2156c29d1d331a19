//! AMF0, the value format of RTMP commands and metadata.
//!
//! As specified in Adobe's "Action Message Format -- AMF 0" (2007).

use std::fmt;

/// The maximum nesting depth; metadata of real encoders has a depth of two.
const MAX_DEPTH: usize = 16;

/// The maximum number of values in a message, so that a message of one-byte values
/// does not grow forty-fold in memory.
const MAX_VALUES: usize = 10_000;

mod marker {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const OBJECT: u8 = 0x03;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const REFERENCE: u8 = 0x07;
    pub(super) const ECMA_ARRAY: u8 = 0x08;
    pub(super) const OBJECT_END: u8 = 0x09;
    pub(super) const STRICT_ARRAY: u8 = 0x0a;
    pub(super) const DATE: u8 = 0x0b;
    pub(super) const LONG_STRING: u8 = 0x0c;
    pub(super) const UNSUPPORTED: u8 = 0x0d;
    pub(super) const XML_DOCUMENT: u8 = 0x0f;
    pub(super) const TYPED_OBJECT: u8 = 0x10;
}

/// Named values in the order in which they were sent.
pub type Properties = Vec<(String, Value)>;

/// One AMF0 value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A double; every number of AMF0 is one.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A string, short or long on the wire. Invalid UTF-8 is replaced.
    String(String),
    /// An anonymous object.
    Object(Properties),
    /// Null.
    Null,
    /// Undefined.
    Undefined,
    /// The index of an object sent earlier in the same message.
    Reference(u16),
    /// An associative array; encoders send their metadata as one.
    EcmaArray(Properties),
    /// An array by position.
    StrictArray(Vec<Value>),
    /// Milliseconds since the Unix epoch, in UTC. The time zone on the wire is
    /// reserved and discarded.
    Date(f64),
    /// A value that the sender could not represent.
    Unsupported,
    /// The text of an XML document.
    XmlDocument(String),
    /// An object with the name of its class.
    TypedObject(String, Properties),
}

impl Value {
    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }

    /// Returns the properties of an object of any kind or of an associative array.
    pub fn properties(&self) -> Option<&[(String, Value)]> {
        match self {
            Value::Object(properties)
            | Value::EcmaArray(properties)
            | Value::TypedObject(_, properties) => Some(properties),
            _ => None,
        }
    }

    /// Returns the first property with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties()?.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

/// Why bytes cannot be decoded as AMF0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end within a value.
    Truncated,
    /// A type marker that is undefined, reserved, or switches to AMF3.
    Marker(u8),
    /// Values are nested too deeply.
    TooDeep,
    /// There are too many values.
    TooMany,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("invalid AMF0: unexpected end of input"),
            DecodeError::Marker(marker) => write!(f, "AMF0 type {marker:#04x} is not supported"),
            DecodeError::TooDeep => {
                write!(f, "AMF0 values are nested more than {MAX_DEPTH} levels deep")
            }
            DecodeError::TooMany => {
                write!(f, "AMF0 message contains more than {MAX_VALUES} values")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes all values in `bytes`.
///
/// Depth and number of values are limited, and memory grows with the bytes that
/// are present, never with a claimed length.
///
/// # Errors
///
/// The first error in the message; no values are returned.
pub fn decode(bytes: &[u8]) -> Result<Vec<Value>, DecodeError> {
    let mut decoder = Decoder { rest: bytes, budget: MAX_VALUES, is_lenient: false };
    let mut values = Vec::new();
    while !decoder.rest.is_empty() {
        values.push(decoder.value(0)?);
    }
    Ok(values)
}

/// Decodes the values in `bytes` up to the first invalid one; if that is inside an
/// object, the object has the properties before it.
pub fn decode_prefix(bytes: &[u8]) -> Vec<Value> {
    let mut decoder = Decoder { rest: bytes, budget: MAX_VALUES, is_lenient: true };
    let mut values = Vec::new();
    while !decoder.rest.is_empty() {
        let Ok(value) = decoder.value(0) else { break };
        values.push(value);
    }
    values
}

/// Encodes `values` one after the other.
pub fn encode(values: &[Value]) -> Vec<u8> {
    let mut output = Vec::with_capacity(128);
    for value in values {
        encode_value(value, &mut output);
    }
    output
}

struct Decoder<'a> {
    rest: &'a [u8],
    budget: usize,
    /// Whether an object ends at an invalid property.
    is_lenient: bool,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        if depth == MAX_DEPTH {
            return Err(DecodeError::TooDeep);
        }
        self.budget = self.budget.checked_sub(1).ok_or(DecodeError::TooMany)?;
        match self.byte()? {
            marker::NUMBER => Ok(Value::Number(self.number()?)),
            marker::BOOLEAN => Ok(Value::Boolean(self.byte()? != 0)),
            marker::STRING => Ok(Value::String(self.string()?)),
            marker::LONG_STRING => Ok(Value::String(self.long_string()?)),
            marker::XML_DOCUMENT => Ok(Value::XmlDocument(self.long_string()?)),
            marker::NULL => Ok(Value::Null),
            marker::UNDEFINED => Ok(Value::Undefined),
            marker::UNSUPPORTED => Ok(Value::Unsupported),
            marker::REFERENCE => Ok(Value::Reference(u16::from_be_bytes(self.array()?))),
            marker::OBJECT => Ok(Value::Object(self.properties(depth)?)),
            marker::TYPED_OBJECT => {
                let class = self.string()?;
                Ok(Value::TypedObject(class, self.properties(depth)?))
            }
            marker::ECMA_ARRAY => {
                // Encoders get the count wrong; only the end marker counts.
                self.take(4)?;
                Ok(Value::EcmaArray(self.properties(depth)?))
            }
            marker::STRICT_ARRAY => self.strict_array(depth),
            marker::DATE => {
                let milliseconds = self.number()?;
                self.take(2)?;
                Ok(Value::Date(milliseconds))
            }
            other => Err(DecodeError::Marker(other)),
        }
    }

    fn properties(&mut self, depth: usize) -> Result<Properties, DecodeError> {
        let mut properties = Vec::new();
        // Some encoders omit the end marker of the last object.
        while !self.rest.is_empty() {
            let name = match self.string() {
                Err(_) if self.is_lenient => {
                    self.rest = &[];
                    break;
                }
                name => name?,
            };
            if name.is_empty() && self.rest.first() == Some(&marker::OBJECT_END) {
                self.take(1)?;
                break;
            }
            match self.value(depth + 1) {
                Ok(value) => properties.push((name, value)),
                Err(_) if self.is_lenient => self.rest = &[],
                Err(error) => return Err(error),
            }
        }
        Ok(properties)
    }

    fn strict_array(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let count = u32::from_be_bytes(self.array()?);
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.value(depth + 1)?);
        }
        Ok(Value::StrictArray(values))
    }

    fn string(&mut self) -> Result<String, DecodeError> {
        let length = u16::from_be_bytes(self.array()?);
        self.text(usize::from(length))
    }

    fn long_string(&mut self) -> Result<String, DecodeError> {
        let length = u32::from_be_bytes(self.array()?);
        self.text(usize::try_from(length).map_err(|_| DecodeError::Truncated)?)
    }

    fn text(&mut self, length: usize) -> Result<String, DecodeError> {
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn number(&mut self) -> Result<f64, DecodeError> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }
}

fn encode_value(value: &Value, output: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            output.push(marker::NUMBER);
            output.extend(number.to_be_bytes());
        }
        Value::Boolean(boolean) => output.extend([marker::BOOLEAN, u8::from(*boolean)]),
        Value::String(text) => match u16::try_from(text.len()) {
            Ok(_) => {
                output.push(marker::STRING);
                encode_name(text, output);
            }
            Err(_) => encode_long(marker::LONG_STRING, text, output),
        },
        Value::XmlDocument(text) => encode_long(marker::XML_DOCUMENT, text, output),
        Value::Object(properties) => {
            output.push(marker::OBJECT);
            encode_properties(properties, output);
        }
        Value::TypedObject(class, properties) => {
            output.push(marker::TYPED_OBJECT);
            encode_name(class, output);
            encode_properties(properties, output);
        }
        Value::EcmaArray(properties) => {
            output.push(marker::ECMA_ARRAY);
            output.extend(length32(properties.len()));
            encode_properties(properties, output);
        }
        Value::StrictArray(values) => {
            output.push(marker::STRICT_ARRAY);
            output.extend(length32(values.len()));
            values.iter().for_each(|value| encode_value(value, output));
        }
        Value::Date(milliseconds) => {
            output.push(marker::DATE);
            output.extend(milliseconds.to_be_bytes());
            output.extend([0, 0]);
        }
        Value::Reference(index) => {
            output.push(marker::REFERENCE);
            output.extend(index.to_be_bytes());
        }
        Value::Null => output.push(marker::NULL),
        Value::Undefined => output.push(marker::UNDEFINED),
        Value::Unsupported => output.push(marker::UNSUPPORTED),
    }
}

fn encode_properties(properties: &[(String, Value)], output: &mut Vec<u8>) {
    for (name, value) in properties {
        encode_name(name, output);
        encode_value(value, output);
    }
    output.extend([0, 0, marker::OBJECT_END]);
}

/// Encodes a name. Names have no long form: longer ones are truncated between characters.
fn encode_name(name: &str, output: &mut Vec<u8>) {
    let mut end = name.len().min(usize::from(u16::MAX));
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    output.extend((end as u16).to_be_bytes());
    output.extend(&name.as_bytes()[..end]);
}

fn encode_long(marker: u8, text: &str, output: &mut Vec<u8>) {
    output.push(marker);
    output.extend(length32(text.len()));
    output.extend(text.as_bytes());
}

fn length32(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties() -> Properties {
        vec![("width".into(), Value::Number(1920.0)), ("stereo".into(), Value::Boolean(true))]
    }

    #[test]
    fn every_type_survives_a_round_trip() {
        let values = vec![
            Value::Number(-1.5),
            Value::Boolean(true),
            Value::Boolean(false),
            Value::from(""),
            Value::from("直播"),
            Value::String("x".repeat(70_000)),
            Value::Object(properties()),
            Value::Object(vec![]),
            Value::Null,
            Value::Undefined,
            Value::Reference(7),
            Value::EcmaArray(properties()),
            Value::StrictArray(vec![Value::Null, Value::StrictArray(vec![Value::from(2.0)])]),
            Value::Date(1.7e12),
            Value::Unsupported,
            Value::XmlDocument("<a/>".into()),
            Value::TypedObject("Point".into(), properties()),
        ];
        assert_eq!(decode(&encode(&values)), Ok(values));
    }

    #[test]
    fn a_command_is_encoded_as_specified() {
        let bytes = encode(&[Value::from("ab"), Value::from(1.0), Value::Null]);
        assert_eq!(bytes, [2, 0, 2, b'a', b'b', 0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 5]);
        let bytes = encode(&[Value::EcmaArray(vec![("k".into(), Value::Boolean(true))])]);
        assert_eq!(bytes, [8, 0, 0, 0, 1, 0, 1, b'k', 1, 1, 0, 0, 9]);
    }

    #[test]
    fn the_count_of_an_ecma_array_is_ignored() {
        let bytes = [8, 0xff, 0xff, 0xff, 0xff, 0, 1, b'k', 5, 0, 0, 9, 6];
        let array = Value::EcmaArray(vec![("k".into(), Value::Null)]);
        assert_eq!(decode(&bytes), Ok(vec![array, Value::Undefined]));
    }

    #[test]
    fn an_object_may_end_with_the_message() {
        let bytes = [3, 0, 1, b'k', 5];
        assert_eq!(decode(&bytes), Ok(vec![Value::Object(vec![("k".into(), Value::Null)])]));
    }

    #[test]
    fn a_truncated_object_keeps_its_properties_only_if_requested() {
        let object = || Value::Object(vec![("k".into(), Value::Null)]);
        // Within a name, and within a value.
        for rest in [&[0, 9, b'n'][..], &[0, 1, b'n', 0, 1, 2]] {
            let bytes = [&[3, 0, 1, b'k', 5][..], rest].concat();
            assert_eq!(decode(&bytes), Err(DecodeError::Truncated));
            assert_eq!(decode_prefix(&bytes), [object()]);
        }
    }

    #[test]
    fn a_property_may_have_an_empty_name() {
        let bytes = [3, 0, 0, 5, 0, 0, 9];
        assert_eq!(decode(&bytes), Ok(vec![Value::Object(vec![(String::new(), Value::Null)])]));
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(decode(&[2, 0, 2, b'a', 0xff]), Ok(vec![Value::from("a\u{fffd}")]));
    }

    #[test]
    fn a_name_that_is_too_long_is_truncated_between_characters() {
        let name = "é".repeat(40_000);
        let bytes = encode(&[Value::Object(vec![(name.clone(), Value::Null)])]);
        let decoded = decode(&bytes).unwrap();
        assert_eq!(decoded[0].properties().unwrap()[0].0, name[..65_534]);
    }

    #[test]
    fn properties_are_found_by_name_in_all_three_kinds_of_object() {
        for object in [
            Value::Object(properties()),
            Value::EcmaArray(properties()),
            Value::TypedObject("T".into(), properties()),
        ] {
            assert_eq!(object.get("width").and_then(Value::as_number), Some(1920.0));
            assert_eq!(object.get("stereo").and_then(Value::as_bool), Some(true));
            assert_eq!(object.get("height"), None);
        }
        assert_eq!(Value::Null.get("width"), None);
    }

    #[test]
    fn only_values_of_a_type_are_read_as_that_type() {
        for value in [Value::Boolean(false), Value::from(7.0), Value::from("text"), Value::Null] {
            let kinds =
                [value.as_bool().is_some(), value.as_number().is_some(), value.as_str().is_some()];
            assert!(kinds.iter().filter(|is_so| **is_so).count() <= 1, "{value:?}");
        }
        assert_eq!(Value::Boolean(false).as_bool(), Some(false));
        assert_eq!(Value::from(7.0).as_number(), Some(7.0));
        assert_eq!(Value::Null.as_bool(), None);
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let message = |error: DecodeError| error.to_string();
        assert_eq!(message(DecodeError::Truncated), "invalid AMF0: unexpected end of input");
        assert_eq!(message(DecodeError::Marker(17)), "AMF0 type 0x11 is not supported");
        assert!(message(DecodeError::TooDeep).contains(&MAX_DEPTH.to_string()));
        assert!(message(DecodeError::TooMany).contains(&MAX_VALUES.to_string()));
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| [&[10, 0, 0, 0, 1].repeat(depth)[..], &[5]].concat();
        assert!(decode(&nested(MAX_DEPTH - 1)).is_ok());
        assert_eq!(decode(&nested(MAX_DEPTH)), Err(DecodeError::TooDeep));
        assert_eq!(decode(&nested(1_000_000)), Err(DecodeError::TooDeep));
        assert_eq!(decode(&[3, 0, 1, b'k'].repeat(1_000_000)), Err(DecodeError::TooDeep));
    }

    #[test]
    fn the_number_of_values_is_limited() {
        assert_eq!(decode(&[5; MAX_VALUES]).map(|values| values.len()), Ok(MAX_VALUES));
        assert_eq!(decode(&[5; MAX_VALUES + 1]), Err(DecodeError::TooMany));
        let array = [&[10, 0xff, 0xff, 0xff, 0xff][..], &[5; 100_000]].concat();
        assert_eq!(decode(&array), Err(DecodeError::TooMany));
    }

    #[test]
    fn a_claimed_length_beyond_the_bytes_is_an_error() {
        for bytes in [
            &[2, 0xff, 0xff][..],
            &[12, 0xff, 0xff, 0xff, 0xff, b'x'],
            &[10, 0xff, 0xff, 0xff, 0xff],
            &[0, 1, 2],
            &[11, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[7, 0],
            &[1],
            &[16, 0, 9],
        ] {
            assert_eq!(decode(bytes), Err(DecodeError::Truncated), "{bytes:?}");
        }
    }

    #[test]
    fn reserved_and_amf3_markers_are_errors() {
        for marker in [4, 9, 14, 17, 0x80] {
            assert_eq!(decode(&[marker]), Err(DecodeError::Marker(marker)));
        }
    }
}
