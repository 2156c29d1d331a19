//! Files that the command reads: tables and lists of channels, manifests in YAML and
//! JSON, the monitor's state; and the initial state of the endpoint.
//!
//! The first byte selects the parser; the rest is the file, or strings separated by 0xFF
//! bytes, from which a file is written.
//!
//! The command has no library target. Its parsers have few dependencies, so this
//! target compiles their source files directly.

#![no_main]
#![allow(dead_code, missing_docs, reason = "only the parsers are used")]

#[path = "../../cli/src/channel/configuration.rs"]
mod configuration;
#[path = "../../cli/src/channel/encoding.rs"]
mod encoding;
#[path = "../../cli/src/monitor/event.rs"]
mod event;
#[path = "../../cli/src/monitor/journal.rs"]
mod journal;
#[path = "../../cli/src/channel/manifest.rs"]
mod manifest;
#[path = "../../cli/src/channel/mistake.rs"]
mod mistake;
#[path = "../../cli/src/channel/sheet.rs"]
mod sheet;
#[path = "../../cli/src/text.rs"]
mod text;
#[path = "../../cli/src/channel/yaml.rs"]
mod yaml;

use configuration::{Channels, Configuration};
use journal::{Journal, Restored};
use libfuzzer_sys::fuzz_target;
use osslive::operation::check_channel_name;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

fuzz_target!(|data: &[u8]| {
    let [which, file @ ..] = data else { return };
    let texts = || {
        let mut texts = file.split(|byte| *byte == 0xff).map(std::str::from_utf8);
        let mut text = || texts.next().unwrap_or(Ok("")).ok();
        Some([text()?, text()?, text()?])
    };
    match which % 7 {
        0 => check_mistakes(file, sheet::table(file)),
        1 => check_mistakes(file, sheet::ids(file)),
        2 => {
            let read = manifest::parse(file);
            check_json(file, read.as_ref().ok());
            check_mistakes(file, read.map(|manifest| manifest.channels));
        }
        3 => drop(texts().map(|[id, name, other]| check_table(id, name, other, which / 7))),
        4 => drop(texts().map(|[id, name, prefix]| check_manifest(id, name, prefix))),
        5 => check_state(file),
        _ => check_initial(file),
    }
});

/// Whatever is read is valid for the service, and a mistake has a position in the file.
fn check_mistakes(file: &[u8], read: mistake::Result<Channels>) {
    match read {
        Ok(channels) => {
            assert!(!channels.is_empty());
            let ids: HashSet<_> = channels.iter().map(|(id, _)| id).collect();
            assert_eq!(ids.len(), channels.len(), "a channel occurs twice");
            for (id, configuration) in &channels {
                check_channel_name(id).expect("the name of a channel");
                configuration.check().expect("a valid configuration");
            }
        }
        Err(mistake) => {
            let mistake = mistake.to_string();
            assert!(!mistake.is_empty() && !mistake.chars().any(char::is_control), "{mistake:?}");
            let Some(rest) = mistake.strip_prefix("line ") else { return };
            let digits = rest.split([',', ':']).next().unwrap_or_default();
            let line: usize = digits.parse().expect("a line");
            let lines = file.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
            assert!((1..=lines + 2).contains(&line), "{mistake:?} of {lines} lines");
        }
    }
}

/// A JSON manifest is read as other JSON parsers read it.
fn check_json(file: &[u8], read: Option<&manifest::Manifest>) {
    let (Some(read), Ok(json)) = (read, serde_json::from_slice::<Value>(file)) else { return };
    assert_eq!(json.get("prefix").and_then(Value::as_str), read.prefix.as_deref());
    let channels = json["channels"].as_object().expect("channels");
    assert_eq!(channels.len(), read.channels.len());
    let string = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (id, configuration) in &read.channels {
        let settings = channels.get(id).expect("the same id");
        let name = settings.get("name").or_else(|| settings.get("description"));
        if let Some(name) = name {
            assert_eq!(string(name), configuration.description);
        }
        if let Some(count) = settings.get("fragCount") {
            assert_eq!(count.as_u64(), Some(configuration.frag_count.into()));
        }
    }
}

/// Returns the configuration of a channel, if its id and description are valid.
fn wanted(id: &str, name: &str) -> Option<Configuration> {
    let wanted = Configuration { description: name.to_owned(), ..Configuration::default() };
    (check_channel_name(id).is_ok() && wanted.check().is_ok()).then_some(wanted)
}

fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'))
}

/// A table that a spreadsheet writes is read unchanged.
fn check_table(id: &str, name: &str, other: &str, dialect: u8) {
    // Line endings are normalized within cells, too.
    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let [id, name, other] = &[id, name, other].map(lines);
    let delimiter = [b',', b';', b'\t'][usize::from(dialect % 3)];
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let rows =
        [["id", "name", "fragCount"], [id.as_str(), name.as_str(), "7"], [other.as_str(), "", ""]];
    rows.iter().for_each(|row| writer.write_record(row).expect("a row"));
    let table = writer.into_inner().expect("a table");
    let expected: Option<Channels> = [(id.trim(), name.trim()), (other.trim(), "")]
        .into_iter()
        .filter(|(id, name)| !(id.is_empty() && name.is_empty() && *id == other.trim()))
        .map(|(id, name)| Some((id.to_owned(), wanted(id, name)?)))
        .collect();
    let expected = expected.map(|mut channels| {
        if let Some((_, first)) = channels.first_mut() {
            first.frag_count = 7;
        }
        channels
    });
    let is_good =
        id.trim() != other.trim() && ![id, name, other].into_iter().any(|text| has_control(text));
    match sheet::table(&table) {
        Ok(channels) => assert_eq!(Some(channels), expected, "{}", text_of(&table)),
        Err(mistake) => {
            assert!(!is_good || expected.is_none(), "{mistake}: {}", text_of(&table));
        }
    }
}

/// A manifest that a program writes is read unchanged.
fn check_manifest(id: &str, name: &str, prefix: &str) {
    let manifest = json!({
        "prefix": prefix,
        "defaults": {"fragDuration": 2},
        "channels": {id: {"name": name, "status": "disabled", "fragCount": 9}},
    });
    let expected = wanted(id, name).map(|wanted| Configuration {
        frag_duration: 2,
        frag_count: 9,
        status: osslive::ChannelState::Disabled,
        ..wanted
    });
    let is_good = id.starts_with(prefix)
        && check_channel_name(prefix).is_ok()
        && ![id, name].iter().any(|text| has_control(text));
    match manifest::parse(manifest.to_string().as_bytes()) {
        Ok(read) => {
            assert_eq!(read.prefix.as_deref(), Some(prefix));
            let [(read, configuration)] = &read.channels[..] else { panic!("{manifest}") };
            assert_eq!((&**read, Some(configuration)), (id, expected.as_ref()), "{manifest}");
        }
        Err(mistake) => assert!(!is_good || expected.is_none(), "{mistake}: {manifest}"),
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));

/// A state file is read the same again; any other file is left unchanged.
fn check_state(file: &[u8]) {
    let path: PathBuf = FOLDER.path().join("state");
    fs::write(&path, file).expect("a file");
    match Journal::open(&path, "b") {
        Ok((journal, first)) => {
            drop(journal);
            let (_, second) = Journal::open(&path, "b").expect("what was written");
            assert!(!second.was_torn);
            assert_eq!(said(&first), said(&second));
        }
        Err(error) => {
            assert!(error.contains("state") && !error.chars().any(char::is_control), "{error:?}");
            assert_eq!(fs::read(&path).expect("the file"), file);
        }
    }
}

fn said(restored: &Restored) -> Value {
    json!([restored.known, restored.events])
}

/// An initial state is rejected with a reason. Files that it names are not opened: the fuzzer
/// would open devices.
fn check_initial(file: &[u8]) {
    let Ok(text) = std::str::from_utf8(file) else { return };
    let names_file = |json: Value| {
        let objects = json.pointer("/buckets").and_then(Value::as_array).cloned();
        let objects = objects.unwrap_or_default().into_iter();
        let mut objects =
            objects.flat_map(|bucket| bucket["objects"].as_array().cloned().unwrap_or_default());
        objects.any(|object| object.get("file").is_some() || object.is_array())
    };
    if !serde_json::from_str(text).is_ok_and(|json| !names_file(json)) {
        return;
    }
    if let Err(error) = osslive_local::InitialState::parse(text) {
        assert!(!error.to_string().is_empty());
    }
}
