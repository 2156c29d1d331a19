//! Cleans up schemas: an absent key instead of null, and documentation without Rust's
//! links and line breaks.

use serde_json::Value;

pub(super) fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(text) if key == "description" => *text = described(text),
                    Value::String(text) if key == "format" && text == "uint" => {
                        *text = "uint64".into();
                    }
                    value => tidy(value),
                }
            }
            remove_null(schema);
        }
        _ => {}
    }
}

/// Removes null from optional properties, which are absent if unknown.
fn remove_null(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in properties {
        if !required.iter().any(|required| required == name) {
            not_null(property);
        }
    }
}

fn not_null(property: &mut Value) {
    let Some(object) = property.as_object_mut() else { return };
    object.remove("default");
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = object.remove("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        let [Value::Object(only)] = &choices[..] else {
            panic!("{choices:?} are several choices");
        };
        object.extend(only.clone());
    }
}

/// Converts a documentation comment to plain text: one line per paragraph, names instead
/// of Rust's links, and no emphasis.
fn described(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    let mut text = paragraphs.collect::<Vec<_>>().join("\n\n").replace("**", "");
    while let Some(start) = text.find('[') {
        let end = start + text[start..].find(']').expect("the end of a link");
        let name = text[start + 1..end].to_owned();
        let target = text[end + 1..].strip_prefix('(').and_then(|rest| rest.find(')'));
        let after = target.map_or(end + 1, |length| end + 1 + 1 + length + 1);
        text.replace_range(start..after, &name);
    }
    text
}
