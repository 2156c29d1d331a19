//! Compares the schemas with the layers above: the comments in both headers, and the
//! fields that the web page reads.

use super::{alternatives, kinds, properties, read, referred};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Words between the keys that a comment lists.
const BETWEEN: &[&str] = &["of", "and", "or", "either", "as", "what", "returns"];
/// Types that a header describes once, at its top.
const COMMON: &[(&str, &str)] = &[("res", "ResponseInfo"), ("error", "Error")];

/// Keys as in comments: `key?` may be absent, `key[]` is an array. A key of several
/// objects is repeated.
type Keys = Vec<String>;

/// A header, whose comments on functions contain `JSON: ...`.
struct Manual {
    path: &'static str,
    /// Returns the header's name of a function of the C interface.
    name: fn(&str) -> String,
    text: String,
}

fn manuals() -> [Manual; 2] {
    let member = |function: &str| {
        let name = function.strip_prefix("osslive_").expect("a prefix");
        name.strip_prefix("channel_monitor_").unwrap_or(name).to_owned()
    };
    let manual = |path, name| Manual { path, name, text: read(path) };
    [manual("include/osslive.h", str::to_owned), manual("include/osslive.hpp", member)]
}

impl Manual {
    /// Returns the comment on a function, without comment marks.
    fn comment(&self, function: &str) -> String {
        let name = (self.name)(function);
        let declaration = [format!(" {name}("), format!("> {name}(")];
        let lines: Vec<_> = self.text.lines().collect();
        let declares = |line: &&str| {
            let line = line.trim_start();
            !line.starts_with(['*', '/', 'r']) && declaration.iter().any(|it| line.contains(it))
        };
        let at = lines.iter().position(declares).unwrap_or_else(|| {
            panic!("{} has no function {name}", self.path);
        });
        let before = lines[..at].iter().rev();
        let comment: Vec<_> = before
            .take_while(|line| line.trim_start().starts_with(['*', '/']))
            .map(|line| line.trim().trim_start_matches(['/', '*']).trim_end_matches("*/").trim())
            .collect();
        comment.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Returns the keys that the comment on a function lists. The name of another
    /// function refers to its keys.
    fn keys(&self, function: &str, of: &BTreeMap<&str, Keys>) -> Keys {
        let comment = self.comment(function);
        let (_, json) = comment.split_once("JSON: ").unwrap_or_else(|| {
            panic!("{}: the comment of {function} does not describe its JSON", self.path)
        });
        let mut keys = Keys::new();
        for word in words(json) {
            match of.iter().find(|(function, _)| (self.name)(function) == word) {
                Some((_, others)) => keys.extend(others.iter().cloned()),
                None => keys.push(word),
            }
        }
        keys
    }
}

/// Returns the words of a sentence, without parts in parentheses and quotes.
fn words(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut plain) = (0, false, String::new());
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth > 0 => {}
            '.' => break,
            ',' | ';' | ':' => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    let words = plain.split_whitespace().filter(|word| *word != "-");
    words.filter(|word| !BETWEEN.contains(word)).map(str::to_owned).collect()
}

/// Returns the keys of a kind of result, including nested ones.
fn keys_of(whole: &Value) -> Keys {
    let mut keys = Keys::new();
    add_keys(&mut keys, whole, whole, &mut BTreeSet::new());
    keys
}

/// Adds the keys of a schema, except those of the common types. A type that several
/// objects share is added once.
fn add_keys<'a>(
    keys: &mut Keys,
    schema: &'a Value,
    whole: &'a Value,
    known: &mut BTreeSet<&'a str>,
) {
    let name = referred(schema);
    if name.is_some_and(|name| !known.insert(name)) {
        return;
    }
    let schema = name.map_or(schema, |name| &whole["$defs"][name]);
    for (key, property, is_required) in properties(schema) {
        let mark = match property["type"].as_str() {
            Some("array") => "[]",
            _ if is_required => "",
            _ => "?",
        };
        // The key that distinguishes alternatives counts once.
        let is_tag = property.get("const").is_some() && keys.iter().any(|known| known == key);
        if !is_tag {
            keys.push(format!("{key}{mark}"));
        }
        if !COMMON.iter().any(|(common, _)| *common == key) {
            add_keys(keys, property, whole, known);
            add_keys(keys, &property["items"], whole, known);
        }
    }
    for named in alternatives(schema).iter().filter(|schema| referred(schema).is_some()) {
        add_keys(keys, named, whole, known);
    }
}

fn compare(layer: &str, listed: &Keys, schema: &Keys) -> Vec<String> {
    let (mut excess, mut faults) = (listed.clone(), Vec::new());
    for key in schema {
        match excess.iter().position(|listed| listed == key) {
            Some(at) => _ = excess.swap_remove(at),
            None => faults.push(format!("{layer} lacks {key}")),
        }
    }
    faults.extend(excess.iter().map(|key| format!("{layer} has {key}, but the schema does not")));
    faults
}

#[test]
fn every_function_with_a_result_has_a_schema() {
    let header = read("include/osslive.h");
    let with_result = header.split(';').filter(|item| item.contains("char **out_json"));
    let names = with_result.map(|item| {
        let (_, declaration) = item.rsplit_once("osslive_status osslive_").expect("a function");
        format!("osslive_{}", declaration.split('(').next().expect("a name"))
    });
    let kinds = kinds();
    let known = kinds.iter().flat_map(|kind| kind.functions).map(|name| name.to_string());
    assert_eq!(names.collect::<BTreeSet<_>>(), known.collect());
}

#[test]
fn both_headers_list_the_keys_of_each_result() {
    let kinds = kinds();
    let functions = kinds
        .iter()
        .flat_map(|kind| kind.functions.iter().map(|name| (*name, keys_of(&kind.schema))));
    let functions: BTreeMap<_, _> = functions.collect();
    let mut faults = Vec::new();
    for manual in manuals() {
        for (function, keys) in &functions {
            let layer = format!("{}, {function},", manual.path);
            faults.extend(compare(&layer, &manual.keys(function, &functions), keys));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn both_headers_list_the_keys_of_the_common_types() {
    let kinds = kinds();
    let sweep = kinds.iter().find(|kind| kind.name == "Sweep").expect("a kind");
    let mut faults = Vec::new();
    for manual in manuals() {
        let text = manual.text.replace("\n * ", " ").replace("    ", "");
        for (key, name) in COMMON {
            let (_, listed) = text
                .split_once(&format!(" {key} describes the "))
                .and_then(|(_, listed)| listed.split_once(" an object of "))
                .unwrap_or_else(|| panic!("{} does not say what {key} is", manual.path));
            let keys = keys_of(&sweep.schema["$defs"][name]);
            faults.extend(compare(&format!("{}, {key},", manual.path), &words(listed), &keys));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The page shows some fields of a status, under the same names.
#[test]
fn the_page_reads_no_other_fields_of_a_stream() {
    let kinds = kinds();
    let status = &kinds.iter().find(|kind| kind.name == "ChannelStatus").expect("a kind").schema;
    for (variable, schema) in [
        ("live", status),
        ("video", &status["$defs"]["Video"]),
        ("audio", &status["$defs"]["Audio"]),
    ] {
        let known: BTreeSet<_> = properties(schema).into_iter().map(|(key, ..)| key).collect();
        let used = fields_of_page(variable);
        assert!(!used.is_empty(), "the page reads no fields of {variable}");
        for field in &used {
            assert!(known.contains(&**field), "the page reads {variable}.{field}");
        }
    }
}

/// Returns the fields of a variable that the page reads: `variable.FIELD` and
/// `variable?.FIELD`.
fn fields_of_page(variable: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for file in ["app", "channel", "text"] {
        let script = read(&format!("local/assets/page/{file}.js")).replace("?.", ".");
        let code = script.lines().filter(|line| !line.trim_start().starts_with("//"));
        let script: String = code.map(|line| format!("{line}\n")).collect();
        for (at, _) in script.match_indices(&format!("{variable}.")) {
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '/';
            if !script[..at].ends_with(is_part) {
                let rest = &script[at + variable.len() + 1..];
                let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(0);
                fields.insert(rest[..end].to_owned());
            }
        }
    }
    fields
}
