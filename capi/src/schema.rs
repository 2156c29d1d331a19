//! The JSON Schemas of the results, from the serialized types: schema/*.json and
//! include/osslive_json.hpp. `make schema` writes them; the tests here compare them, and
//! the other layers' descriptions of the results.

mod cpp;
mod layers;
mod tidy;

use crate::channel_monitor::Changes;
use crate::progress::Results;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use sdk::{
    Channel, ChannelHistory, ChannelList, ChannelStatus, ChannelUrls, Diagnosis, Done, Download,
    HighlightResult, HistoryAnalysis, PublishUrl, PutResult, Sweep,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A kind of result, and the functions that return it.
struct Kind {
    name: &'static str,
    functions: &'static [&'static str],
    schema: Value,
}

/// Returns every kind of result: those of functions with an `out_json`.
fn kinds() -> Vec<Kind> {
    vec![
        kind::<Done>(
            "Done",
            &["osslive_delete_channel", "osslive_put_channel_status", "osslive_create_vod"],
        ),
        kind::<ChannelUrls>("ChannelUrls", &["osslive_put_channel", "osslive_create_channel"]),
        kind::<Channel>("Channel", &["osslive_get_channel"]),
        kind::<ChannelList>("ChannelList", &["osslive_list_channels"]),
        kind::<ChannelStatus>(
            "ChannelStatus",
            &["osslive_get_channel_status", "osslive_wait_until_live", "osslive_wait_until_idle"],
        ),
        kind::<ChannelHistory>("ChannelHistory", &["osslive_get_channel_history"]),
        kind::<HistoryAnalysis>("HistoryAnalysis", &["osslive_analyze_history"]),
        kind::<PublishUrl>("PublishUrl", &["osslive_get_publish_url"]),
        kind::<Sweep>("Sweep", &["osslive_monitor_channels", "osslive_channel_monitor_last_sweep"]),
        kind::<Results<PutResult>>("PutResults", &["osslive_put_channels"]),
        kind::<Results<HighlightResult>>("HighlightResults", &["osslive_create_highlights"]),
        kind::<Download>("Download", &["osslive_download_recording"]),
        kind::<Diagnosis>("Diagnosis", &["osslive_diagnose"]),
        kind::<Changes>("Changes", &["osslive_channel_monitor_next_changes"]),
    ]
}

fn kind<T: JsonSchema>(name: &'static str, functions: &'static [&'static str]) -> Kind {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = Schema::to_value(settings.into_generator().into_root_schema_for::<T>());
    tidy::tidy(&mut schema);
    Kind { name, functions, schema: titled(name, schema) }
}

/// Adds the name to a schema, with the keys in reading order.
fn titled(name: &str, schema: Value) -> Value {
    let Value::Object(mut rest) = schema else { panic!("{name} is not an object") };
    let mut whole = Map::new();
    whole.insert("$schema".into(), rest.remove("$schema").expect("a dialect"));
    whole.insert("$id".into(), json!(format!("urn:osslive:schema:{name}")));
    whole.insert("title".into(), json!(name));
    rest.remove("title");
    whole.extend(rest);
    Value::Object(whole)
}

/// Returns the properties of a schema by name, including those of its alternatives. A
/// name may have several schemas.
fn properties(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let required = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let own = schema["properties"].as_object().into_iter().flatten();
    let own = own.map(|(name, schema)| (name.as_str(), schema, required(name)));
    own.chain(alternatives(schema).iter().flat_map(properties)).collect()
}

fn alternatives(schema: &Value) -> &[Value] {
    let found = ["oneOf", "anyOf"].iter().find_map(|key| schema[key].as_array());
    found.map_or(&[], Vec::as_slice)
}

/// Returns the name of the type that a schema refers to.
fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Converts `ChannelStatus` to `channel-status`.
fn with_separators(name: &str, separator: char) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push(separator);
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// Returns the generated files, by their paths from the top of the source tree.
fn files() -> BTreeMap<String, String> {
    let kinds = kinds();
    let file = |kind: &Kind| format!("{}.json", with_separators(kind.name, '-'));
    let functions: Map<_, _> = kinds
        .iter()
        .flat_map(|kind| kind.functions.iter().map(|name| (name.to_string(), json!(file(kind)))))
        .collect();
    let mut files: BTreeMap<_, _> =
        kinds.iter().map(|kind| (format!("schema/{}", file(kind)), pretty(&kind.schema))).collect();
    files.insert("schema/functions.json".into(), pretty(&Value::Object(functions)));
    files.insert("include/osslive_json.hpp".into(), cpp::header(&kinds));
    files
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[test]
fn the_schema_files_match_the_types() {
    let files = files();
    for (path, text) in &files {
        if env::var_os("OSSLIVE_WRITE_SCHEMA").is_some() {
            fs::write(root().join(path), text).expect("a file to write");
        }
        assert!(*text == read(path), "{path} is out of date: run `make schema`");
    }
    for entry in fs::read_dir(root().join("schema")).expect("the folder") {
        let path = format!("schema/{}", entry.expect("an entry").file_name().to_string_lossy());
        assert!(files.contains_key(&path), "{path} is not the schema of any result");
    }
}
