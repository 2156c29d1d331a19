//! include/osslive_json.hpp: the schemas as C++ types.

use super::{Kind, alternatives, properties, referred, with_separators};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

const BEGIN: &str = include_str!("begin.hpp");
const END: &str = include_str!("end.hpp");

/// Returns the header: the types, in order of dependency, and a function for each kind of
/// result.
pub(super) fn header(kinds: &[Kind]) -> String {
    let mut types = Types { schemas: BTreeMap::new(), text: String::new(), written: Vec::new() };
    for kind in kinds {
        let defs = kind.schema["$defs"].as_object().into_iter().flatten();
        types.schemas.extend(defs.map(|(name, schema)| (name.as_str(), schema)));
        types.schemas.insert(kind.name, &kind.schema);
    }
    kinds.iter().for_each(|kind| types.add(kind.name));
    let functions: String = kinds.iter().map(parser).collect();
    format!("{BEGIN}{}{functions}{END}", types.text)
}

/// Returns the function that parses a kind of result.
fn parser(kind: &Kind) -> String {
    let (name, of) = (kind.name, with_separators(kind.name, '_'));
    let calls: Vec<_> = kind.functions.iter().map(|name| call(name)).collect();
    let comment = comment("", &format!("Reads the result of {}.", calls.join(", ")));
    format!(
        "{comment}inline {name} {of}(const std::string &text) {{\n  \
         return detail::parse<{name}>(text);\n}}\n\n"
    )
}

/// Returns the name of a C function in osslive.hpp.
fn call(function: &str) -> &str {
    let name = function.strip_prefix("osslive_").expect("a prefix");
    name.strip_prefix("channel_monitor_").unwrap_or(name)
}

struct Types<'a> {
    schemas: BTreeMap<&'a str, &'a Value>,
    text: String,
    written: Vec<String>,
}

/// A member of a struct.
struct Member<'a> {
    key: &'a str,
    types: Vec<String>,
    is_required: bool,
    description: &'a str,
}

impl<'a> Types<'a> {
    /// Writes a type, after those it depends on.
    fn add(&mut self, name: &str) {
        if self.written.iter().any(|written| written == name) {
            return;
        }
        self.written.push(name.to_owned());
        let schema = self.schemas[name];
        if is_enum(schema) {
            let values = alternatives(schema).iter().map(|value| (text(&value["const"]), value));
            return self.add_enum(name, text(&schema["description"]), values.collect());
        }
        let members = self.members(name, schema);
        let comment = comment("", text(&schema["description"]));
        let mut declarations = String::new();
        let mut readers = String::new();
        for member in &members {
            member.write(&mut declarations, &mut readers);
        }
        let _ = write!(
            self.text,
            "{comment}struct {name} {{\n{declarations}}};\n\n\
             inline void from_json(const nlohmann::json &json, {name} &value) {{\n{readers}}}\n\n"
        );
    }

    /// Returns the members of a type, required ones first. Members that only some of
    /// its alternatives have may be absent.
    fn members(&mut self, name: &str, schema: &'a Value) -> Vec<Member<'a>> {
        let mut members: Vec<Member<'a>> = Vec::new();
        let own = schema["properties"].as_object().map_or(0, |own| own.len());
        for (at, (key, property, is_required)) in self.properties(schema).into_iter().enumerate() {
            let is_tag = property.get("const").is_some();
            let kind = if is_tag { self.tag(name, key, schema) } else { self.type_of(property) };
            let is_required = is_tag || (is_required && at < own);
            match members.iter_mut().find(|member| member.key == key) {
                Some(member) if member.types.contains(&kind) => {}
                Some(member) => member.types.push(kind),
                None => members.push(Member {
                    key,
                    types: vec![kind],
                    is_required,
                    description: text(&property["description"]),
                }),
            }
        }
        let order = schema["required"].as_array().cloned().unwrap_or_default();
        members.sort_by_key(|member| {
            let place = order.iter().position(|key| key == member.key);
            (!member.is_required, place.unwrap_or(order.len()))
        });
        members
    }

    /// Returns the properties, including those of alternatives that are separate
    /// types.
    fn properties(&self, schema: &'a Value) -> Vec<(&'a str, &'a Value, bool)> {
        let mut found = properties(schema);
        let named = alternatives(schema).iter().filter_map(referred);
        found.extend(named.flat_map(|name| properties(self.schemas[name])));
        found
    }

    /// Adds the enumeration that distinguishes the alternatives of a type.
    fn tag(&mut self, owner: &str, key: &str, schema: &'a Value) -> String {
        let name = format!("{owner}Kind");
        if !self.written.contains(&name) {
            self.written.push(name.clone());
            let values = alternatives(schema).iter();
            let values = values.map(|value| (text(&value["properties"][key]["const"]), value));
            self.add_enum(&name, &format!("The kinds of {owner}."), values.collect());
        }
        name
    }

    fn add_enum(&mut self, name: &str, description: &str, values: Vec<(&str, &Value)>) {
        let mut declarations =
            String::from("  /* A value newer than this header. */\n  unknown,\n");
        let mut pairs = format!("    {{{name}::unknown, nullptr}},\n");
        for (spelled, value) in values {
            let member = with_separators(spelled, '_').replace('-', "_");
            declarations += &comment("  ", text(&value["description"]));
            let _ = writeln!(declarations, "  {member},");
            let _ = writeln!(pairs, "    {{{name}::{member}, \"{spelled}\"}},");
        }
        let _ = write!(
            self.text,
            "{}enum class {name} {{\n{declarations}}};\n\n\
             NLOHMANN_JSON_SERIALIZE_ENUM({name}, {{\n{pairs}}})\n\n",
            comment("", description)
        );
    }

    /// Returns the C++ type of a value.
    fn type_of(&mut self, schema: &Value) -> String {
        if let Some(name) = referred(schema) {
            self.add(name);
            return name.to_owned();
        }
        match (text(&schema["type"]), schema["format"].as_str()) {
            ("array", _) => format!("std::vector<{}>", self.type_of(&schema["items"])),
            ("string", Some("date-time")) => "Time".into(),
            ("string", _) => "std::string".into(),
            ("boolean", _) => "bool".into(),
            ("number", _) => "double".into(),
            ("integer", Some(format)) => format!("std::{format}_t"),
            other => panic!("{other:?} has no type in C++"),
        }
    }
}

impl Member<'_> {
    fn write(&self, declarations: &mut String, readers: &mut String) {
        let (key, name) = (self.key, with_separators(self.key, '_'));
        let kind = match &self.types[..] {
            [only] => only.clone(),
            several => format!("std::variant<{}>", several.join(", ")),
        };
        *declarations += &comment("  ", self.description);
        let (declared, reader) = match self.is_required {
            true => (format!("{kind} {name}{{}};"), "required"),
            false => (format!("std::optional<{kind}> {name};"), "optional"),
        };
        let _ = writeln!(declarations, "  {declared}");
        let _ = writeln!(readers, "  detail::{reader}(json, \"{key}\", value.{name});");
    }
}

/// Returns whether a schema lists the allowed strings.
fn is_enum(schema: &Value) -> bool {
    alternatives(schema).first().is_some_and(|first| first.get("const").is_some())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Formats a comment, in lines of at most a hundred columns.
fn comment(indent: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut lines = vec![format!("{indent}/*")];
    for word in text.split_whitespace().filter(|word| !word.is_empty()) {
        let word = word.replace('`', "");
        let line = lines.last_mut().expect("a line");
        if line.len() + 1 + word.len() + " */".len() > 100 {
            lines.push(format!("{indent} * {word}"));
        } else {
            line.push(' ');
            line.push_str(&word);
        }
    }
    format!("{} */\n", lines.join("\n"))
}
