//! The channels of a bucket as YAML, or as JSON, which is a subset of YAML.

use super::configuration::{Channels, Configuration, Field, plain};
use super::encoding;
use super::mistake::{Mistake, Result};
use super::yaml::{Reader, Scalar};
use osslive::{Snapshot, operation};
use std::collections::HashMap;

/// The contents of the file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Manifest {
    /// The prefix of the channels that the file is responsible for, in addition to
    /// those it lists.
    pub(super) prefix: Option<String>,
    pub(super) channels: Channels,
}

/// Creates a manifest from a table, which only lists channels.
impl From<Channels> for Manifest {
    fn from(channels: Channels) -> Self {
        Manifest { prefix: None, channels }
    }
}

/// Reads a manifest. Any error makes the whole file invalid.
pub(super) fn parse(bytes: &[u8]) -> Result<Manifest> {
    let text = encoding::decode(bytes).map_err(|(line, what)| Mistake::at(line, None, what))?;
    let mut reader = Reader::new(&text);
    let (mut prefix, mut defaults, mut listed) = (None, Settings::default(), Vec::new());
    if reader.start()? {
        reader.mapping(|reader, key| {
            match &*key.text {
                "prefix" => prefix = Some(read_prefix(reader)?),
                "defaults" => defaults = read_settings(reader, "defaults")?,
                "channels" => listed = read_channels(reader)?,
                name => {
                    let allowed = "must be channels, defaults or prefix";
                    return Err(key.wrong(format!("unknown field {name:?}: {allowed}")));
                }
            }
            Ok(())
        })?;
        reader.end()?;
    }
    let channels = complete(prefix.as_deref(), defaults, listed)?;
    Ok(Manifest { prefix, channels })
}

/// The fields set for a channel. They override the defaults, which may come later
/// in the file.
#[derive(Clone, Default)]
struct Settings {
    fields: Vec<(Field, String)>,
    /// The snapshot settings, if any.
    snapshot: Option<Option<Snapshot>>,
}

impl Settings {
    /// Applies the fields. Each value was checked when it was read.
    fn apply(self, to: &mut Configuration) -> std::result::Result<(), String> {
        for (field, text) in self.fields {
            field.set(to, &text)?;
        }
        if let Some(snapshot) = self.snapshot {
            to.snapshot = snapshot;
        }
        Ok(())
    }
}

fn complete(
    prefix: Option<&str>,
    defaults: Settings,
    listed: Vec<(Scalar, Settings)>,
) -> Result<Channels> {
    if listed.is_empty() {
        return Err(Mistake::new("no channels found"));
    }
    let mut base = Configuration::default();
    defaults.apply(&mut base).map_err(Mistake::new)?;
    let mut channels = Channels::with_capacity(listed.len());
    for (id, settings) in listed {
        if let Some(prefix) = prefix.filter(|prefix| !id.text.starts_with(prefix)) {
            let name = &id.text;
            return Err(id.wrong(format!("channel {name:?}: must start with prefix {prefix:?}")));
        }
        let mut configuration = base.clone();
        settings.apply(&mut configuration).map_err(|what| id.wrong(what))?;
        channels.push((id.text, configuration));
    }
    Ok(channels)
}

/// A prefix is the beginning of an id, so the same rules apply.
fn read_prefix(reader: &mut Reader<'_>) -> Result<String> {
    let prefix = reader.text("prefix")?;
    match operation::check_channel_name(&prefix.text) {
        Ok(()) => Ok(prefix.text),
        Err(error) => Err(prefix.wrong(format!("prefix: {}", error.message()))),
    }
}

fn read_channels(reader: &mut Reader<'_>) -> Result<Vec<(Scalar, Settings)>> {
    let mut channels = Vec::new();
    if reader.start_mapping("channels")?.is_none() {
        return Ok(channels);
    }
    reader.mapping(|reader, id| {
        let checked = operation::check_channel_name(&id.text);
        checked.map_err(|error| id.wrong(error.message()))?;
        let settings = read_settings(reader, &format!("channel {:?}", id.text))?;
        channels.push((id, settings));
        Ok(())
    })?;
    Ok(channels)
}

/// Reads the fields of a channel or of the defaults; an empty value means no
/// fields.
fn read_settings(reader: &mut Reader<'_>, of: &str) -> Result<Settings> {
    let mut settings = Settings::default();
    if reader.start_mapping(of)?.is_none() {
        return Ok(settings);
    }
    // A field has several spellings.
    let mut lines: HashMap<&str, u64> = HashMap::new();
    reader.mapping(|reader, key| {
        let name = &*key.text;
        let field = Field::of(name);
        if field.is_none() && plain(name) != SNAPSHOT {
            return Err(key.wrong(format!("unknown field {name:?}: {FIELDS}")));
        }
        let known = field.map_or(SNAPSHOT, Field::name);
        if let Some(line) = lines.insert(known, key.line()) {
            return Err(key.wrong(format!("{name}: {known} is already on line {line}")));
        }
        match field {
            Some(field) => settings.fields.push((field, read_value(reader, field, name)?)),
            None => settings.snapshot = Some(read_snapshot(reader)?),
        }
        Ok(())
    })?;
    Ok(settings)
}

fn read_value(reader: &mut Reader<'_>, field: Field, name: &str) -> Result<String> {
    let value = if field.is_number() { reader.number(name) } else { reader.text(name) }?;
    match field.set(&mut Configuration::default(), &value.text) {
        Ok(()) => Ok(value.text),
        Err(what) => Err(value.wrong(format!("{name}: {what}"))),
    }
}

/// Reads snapshot settings, or `null` to remove those of the defaults.
fn read_snapshot(reader: &mut Reader<'_>) -> Result<Option<Snapshot>> {
    let Some(place) = reader.start_mapping(SNAPSHOT)? else { return Ok(None) };
    let (mut role, mut bucket, mut topic) = (None, None, None);
    let mut interval = SNAPSHOT_INTERVAL;
    reader.mapping(|reader, key| {
        let name = &*key.text;
        let field = match name {
            "roleName" => &mut role,
            "destBucket" => &mut bucket,
            "notifyTopic" => &mut topic,
            "interval" => {
                let number = reader.number(name)?;
                let parsed = number.text.parse();
                interval = parsed.map_err(|_| number.wrong("interval: must be 1 to 100"))?;
                return Ok(());
            }
            _ => return Err(key.wrong(format!("unknown field {name:?}: {SNAPSHOT_FIELDS}"))),
        };
        *field = Some(reader.text(name)?.text);
        Ok(())
    })?;
    let (Some(role), Some(bucket), Some(topic)) = (role, bucket, topic) else {
        return Err(place.wrong("snapshot: needs roleName, destBucket and notifyTopic"));
    };
    let snapshot = Some(Snapshot::new(role, bucket, topic, interval));
    let alone = Configuration { snapshot: snapshot.clone(), ..Configuration::default() };
    alone.check().map_err(|what| place.wrong(what))?;
    Ok(snapshot)
}

const SNAPSHOT: &str = "snapshot";

/// The default interval between snapshots, in seconds.
const SNAPSHOT_INTERVAL: u32 = 10;

const FIELDS: &str = "must be name (or description), status, fragDuration, fragCount, \
                      playlistName or snapshot";

const SNAPSHOT_FIELDS: &str = "must be roleName, destBucket, notifyTopic or interval";

#[cfg(test)]
mod tests {
    use super::*;
    use osslive::ChannelState;
    use serde_json::{Value, json};
    use std::time::{Duration, Instant};

    fn read(text: &str) -> Manifest {
        parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    fn ids(text: &str) -> Vec<String> {
        read(text).channels.into_iter().map(|(id, _)| id).collect()
    }

    fn names(text: &str) -> Vec<String> {
        read(text).channels.into_iter().map(|(_, channel)| channel.description).collect()
    }

    #[test]
    fn a_file_has_channels_defaults_and_a_prefix_in_any_order() {
        let channels = "channels:\n  stage-a:\n    name: Main\n    fragCount: 7\n  stage-b:\n";
        let others = "prefix: stage-\ndefaults:\n  fragDuration: 2\n  status: disabled\n";
        let base = Configuration {
            frag_duration: 2,
            status: ChannelState::Disabled,
            ..Configuration::default()
        };
        let main = Configuration { description: "Main".to_owned(), frag_count: 7, ..base.clone() };
        let expected = Manifest {
            prefix: Some("stage-".to_owned()),
            channels: vec![("stage-a".to_owned(), main), ("stage-b".to_owned(), base)],
        };
        assert_eq!(read(&format!("{channels}{others}")), expected);
        assert_eq!(read(&format!("---\n{others}{channels}...\n")), expected);
    }

    #[test]
    fn snapshots_are_read_inherited_from_the_defaults_and_removed() {
        let text = "defaults:\n  snapshot: {roleName: r, destBucket: shots, notifyTopic: t}\n\
                    channels:\n  a:\n  b:\n    snapshot: null\n  c:\n    snapshot:\n      \
                    roleName: r\n      destBucket: shots\n      notifyTopic: t\n      interval: 5\n";
        let snapshot = |interval| Some(Snapshot::new("r", "shots", "t", interval));
        let found: Vec<_> =
            read(text).channels.into_iter().map(|(_, channel)| channel.snapshot).collect();
        assert_eq!(found, [snapshot(10), None, snapshot(5)]);
    }

    #[test]
    fn files_from_editors_and_other_programs_are_read() {
        for text in [
            "channels:\n  cam:\n    name: One\n",
            "\u{feff}channels:\r\n  cam:\r\n    name: One\r\n",
            "channels:\r  cam:\r    name: One",
            "{\"channels\": {\"cam\": {\"name\": \"One\", \"fragCount\": 3}}}",
            "# a comment\n---\nchannels: # another\n    cam: {name: 'One'}\n",
            "%YAML 1.2\n---\nchannels:\n  \"cam\":\n    description: >-\n      One\n",
            "prefix: cam\nchannels: {cam: {Name: One, frag_duration: 5}}",
        ] {
            assert_eq!(
                (ids(text), names(text)),
                (vec!["cam".into()], vec!["One".into()]),
                "{text:?}"
            );
        }
        let utf16: Vec<u8> =
            "\u{feff}channels:\n  直播:\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&utf16).expect("UTF-16").channels[0].0, "直播");
    }

    #[test]
    fn ids_and_names_are_taken_as_written() {
        for word in [
            "no",
            "NO",
            "on",
            "off",
            "yes",
            "y",
            "true",
            "False",
            "1e3",
            "0x10",
            "0o17",
            "010",
            "12:30:45",
            "1_000",
            ".5",
            "5.0",
            "+1",
            "-1",
            ".inf",
            ".nan",
            "2026-05-01",
            "=",
            "nil",
            "none",
            "a b",
            "a: b",
        ] {
            let key = if word.contains(": ") { format!("{word:?}") } else { word.to_owned() };
            let text = format!("channels:\n  {key}:\n    name: {key}\n");
            assert_eq!((ids(&text), names(&text)), (vec![word.into()], vec![word.into()]));
        }
        assert_eq!(names("channels:\n  a: {name: \"null\"}\n  b: {name: ''}\n"), ["null", ""]);
        assert_eq!(ids("channels:\n  'null':\n  \"~\":\n"), ["null", "~"]);
    }

    #[test]
    fn errors_name_the_position_and_the_field() {
        for (text, place, words) in [
            ("", "no channels", ""),
            ("# nothing\n", "no channels", ""),
            ("---\n", "no channels", ""),
            ("{}", "no channels", ""),
            ("prefix: a\n", "no channels", ""),
            ("channels:\n", "no channels", ""),
            ("channels: {}\n", "no channels", ""),
            ("channels: cam\n", "line 1, column 11", "channels: must be a mapping"),
            ("channels:\n- id: cam\n", "line 2, column 3", "not a list"),
            ("- cam\n", "line 1, column 1", "must be a mapping"),
            ("id,name\ncam,One\n", "line 1, column 1", "must be a mapping"),
            ("chanels:\n  cam:\n", "line 1, column 1", "\"chanels\": must be channels"),
            ("channels:\n  cam: live\n", "line 2, column 8", "channel \"cam\": must be a mapping"),
            (
                "channels:\n  \"a\\tb\": []\n",
                "line 2, column 11",
                "channel \"a\\tb\": must be a mapping",
            ),
            ("channels:\n  cam:\n    color: red\n", "line 3, column 5", "\"color\": must be name"),
            ("channels:\n  cam:\n    id: x\n", "line 3, column 5", "unknown field \"id\""),
            ("channels:\n  cam:\n    status: on\n", "line 3, column 13", "status: status \"on\""),
            ("channels:\n  cam:\n    status: true\n", "line 3, column 13", "enabled or disabled"),
            ("channels:\n  cam:\n    name: [a]\n", "line 3, column 11", "name: must be a single"),
            (
                "channels:\n  cam:\n    name: {a: b}\n",
                "line 3, column 11",
                "name: must be a single",
            ),
            ("channels:\n  cam:\n    name:\n", "line 3", "name: no value"),
            ("channels:\n  cam:\n    name: ~\n", "line 3, column 11", "name: ~ means no value"),
            ("channels:\n  cam:\n    name: null\n", "line 3, column 11", "quote it"),
            (
                "channels:\n  cam:\n    fragCount: many\n",
                "line 3, column 16",
                "fragCount: must be a whole number, not \"many\"",
            ),
            ("channels:\n  cam:\n    fragCount: 0x10\n", "line 3, column 16", "\"0x10\""),
            ("channels:\n  cam:\n    fragCount: 010\n", "line 3, column 16", "\"010\""),
            ("channels:\n  cam:\n    fragCount: 1e1\n", "line 3, column 16", "\"1e1\""),
            ("channels:\n  cam:\n    fragCount: 5.0\n", "line 3, column 16", "\"5.0\""),
            ("channels:\n  cam:\n    fragCount: +5\n", "line 3, column 16", "\"+5\""),
            ("channels:\n  cam:\n    fragCount: '5'\n", "line 3, column 16", "not a string"),
            ("channels:\n  cam:\n    fragCount:\n", "line 3", "fragCount"),
            ("channels:\n  cam:\n    fragCount: 0\n", "line 3, column 16", "fragCount: "),
            ("channels:\n  cam:\n    fragCount: 101\n", "line 3, column 16", "101"),
            ("channels:\n  cam:\n    playlistName: live\n", "line 3, column 19", "m3u8"),
            ("defaults:\n  fragCount: 0\nchannels:\n  cam:\n", "line 2, column 14", "fragCount"),
            ("channels:\n  ca/m:\n", "line 2, column 3", "slash"),
            ("channels:\n  ~:\n", "line 2, column 3", "quote it"),
            ("channels:\n  null:\n", "line 2, column 3", "quote it"),
            ("channels:\n  : {}\n", "line 2", "key"),
            ("channels:\n  [a]: {}\n", "line 2, column 3", "a key must be a string"),
            ("channels:\n  cam:\n  other:\n  cam:\n", "line 4, column 3", "line 2"),
            ("channels:\n  cam:\n  \"cam\":\n", "line 3, column 3", "line 2"),
            ("channels:\n  a:\nchannels:\n  b:\n", "line 3, column 1", "line 1"),
            ("channels:\n  cam:\n    name: a\n    description: b\n", "line 4, column 5", "line 3"),
            (
                "channels:\n  cam:\n    fragCount: 1\n    frag_count: 2\n",
                "line 4, column 5",
                "line 3",
            ),
            ("channels:\n  cam:\n    name: a\n    name: a\n", "line 4, column 5", "line 3"),
            ("prefix: a\nchannels:\n  b:\n", "line 3, column 3", "prefix \"a\""),
            ("prefix: ''\nchannels:\n  b:\n", "line 1, column 9", "prefix"),
            ("prefix:\nchannels:\n  b:\n", "line 1", "prefix: no value"),
            ("prefix: [a]\nchannels:\n  b:\n", "line 1, column 9", "prefix: must be a single"),
            ("channels:\n  a: &x\n    name: b\n  c: *x\n", "line 2", "anchors"),
            ("channels:\n  a:\n    name: *x\n", "line 3", "anchor"),
            ("channels:\n  a:\n    <<: {name: b}\n", "line 3, column 5", "merge"),
            ("channels:\n  a:\n    name: !!str b\n", "line 3", "tags"),
            ("channels: !ruby/object {a: }\n", "line 1", "tags"),
            ("channels:\n  a:\n---\nchannels:\n  b:\n", "line 3", "single document"),
            ("channels:\n  a:\n    name: \"x\n", "line 3", "invalid YAML"),
            ("channels:\n\ta:\n", "line 2", "invalid YAML"),
            ("channels: {a: {name: b}\n", "line 2", "invalid YAML"),
            ("channels:\n  a:\n   name: b\n  - c\n", "line 4", "invalid YAML"),
            ("channels:\n  a:\n    name: x\u{1}\n", "line 3", "U+0001"),
            ("channels:\n  a:\n    snapshot: {roleName: r}\n", "line 3, column 15", "destBucket"),
            ("channels:\n  a:\n    snapshot: {role: r}\n", "line 3, column 16", "\"role\""),
            (
                "channels:\n  a:\n    snapshot: {roleName: r, destBucket: b, notifyTopic: t, interval: 0}\n",
                "line 3, column 15",
                "interval",
            ),
            (
                "channels:\n  a:\n    snapshot: on\n",
                "line 3, column 15",
                "snapshot: must be a mapping",
            ),
        ] {
            let error = parse(text.as_bytes()).map(|found| panic!("{text:?}: {found:?}"));
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(words), "{text:?}: {error}");
            assert_eq!(error.lines().count(), 1, "{text:?}: {error}");
        }
        for bytes in [b"channels:\n  a:\n    name: \xb0\xd7\n".as_slice(), b"\xff\xfechannels:"] {
            parse(bytes).expect_err("not UTF-8");
        }
    }

    #[test]
    fn hostile_files_are_rejected_quickly() {
        let deep = |open: &str| format!("channels:\n  cam: {}", open.repeat(200_000));
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nchannels: *b\n";
        let nested = (0..20_000).map(|depth| format!("{}a:\n", " ".repeat(depth % 1000)));
        for text in [
            deep("["),
            deep("{"),
            deep("{a: "),
            deep("- "),
            deep("? "),
            deep("!a "),
            deep("&a "),
            deep("\""),
            nested.collect(),
            bomb.to_owned(),
            format!("channels:\n  {}: x", "a".repeat(1 << 20)),
            format!("channels:\n  cam:\n    name: {}", "a\n".repeat(1 << 19)),
            "%".repeat(1 << 20),
            "- ".repeat(1 << 19),
            ":".repeat(1 << 20),
            "{".repeat(1 << 20),
            "\n".repeat(1 << 20),
        ] {
            let began = Instant::now();
            let mistake = parse(text.as_bytes()).expect_err("not a manifest").to_string();
            let shown: String = text.chars().take(30).collect();
            assert!(mistake.len() < 1000 + text.len(), "{shown:?}");
            // Generous: the test is about parsing that never ends.
            assert!(began.elapsed() < Duration::from_secs(20), "{shown:?}: {:?}", began.elapsed());
        }
    }

    #[test]
    fn the_examples_in_the_documentation_and_the_help_are_valid() {
        let page = include_str!("../../../docs/desired-state.md");
        let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let help = crate::channel::apply::HELP.split("\n\n").nth(1).expect("an example");
        let help = help.replace("\n  ", "\n");
        let examples: Vec<_> = blocks.chain([help.trim_start()]).map(read).collect();
        assert_eq!(examples.len(), 2);
        for example in examples {
            assert_eq!(example.prefix.as_deref(), Some("stage-"));
            assert_eq!(example.channels[0].0, "stage-main");
        }
    }

    /// The JSON Schema for editors.
    fn schema() -> Value {
        serde_json::from_str(include_str!("../../assets/channels.schema.json")).expect("JSON")
    }

    /// Returns whether the schema allows a value for a field of a channel or of its
    /// snapshots.
    fn is_allowed(field: &str, value: &Value, in_snapshot: bool) -> bool {
        let mut fields = json!({ field: value });
        if in_snapshot {
            for name in ["roleName", "destBucket", "notifyTopic"] {
                if name != field {
                    fields[name] = "some".into();
                }
            }
            fields = json!({ "snapshot": fields });
        }
        parse(json!({ "channels": { "cam": fields } }).to_string().as_bytes()).is_ok()
    }

    #[test]
    fn the_schema_has_the_fields_of_the_file() {
        let schema = schema();
        let names = |pointer: &str| -> Vec<String> {
            let properties = schema.pointer(pointer).and_then(|found| found.as_object());
            properties.expect("properties").keys().cloned().collect()
        };
        let sorted = |mut names: Vec<&'static str>| {
            names.sort_unstable();
            names
        };
        assert_eq!(names("/properties"), sorted(vec!["prefix", "defaults", "channels"]));
        let fields: Vec<_> =
            Field::ALL.map(Field::name).into_iter().chain(["name", SNAPSHOT]).collect();
        assert_eq!(names("/$defs/channel/properties"), sorted(fields));
        let snapshot = names("/$defs/channel/properties/snapshot/properties");
        assert_eq!(snapshot, sorted(vec!["roleName", "destBucket", "notifyTopic", "interval"]));
    }

    #[test]
    fn the_schema_and_the_reader_allow_the_same_values() {
        let schema = schema();
        let channel = &schema["$defs"]["channel"]["properties"];
        for (rules, in_snapshot) in [(channel, false), (&channel["snapshot"]["properties"], true)] {
            for (field, rule) in rules.as_object().expect("properties") {
                let allows = |value: Value| is_allowed(field, &value, in_snapshot);
                if let (Some(least), Some(most)) =
                    (rule["minimum"].as_u64(), rule["maximum"].as_u64())
                {
                    assert!(allows(least.into()) && allows(most.into()), "{field}");
                    assert!(!allows((least - 1).into()) && !allows((most + 1).into()), "{field}");
                }
                for value in rule["enum"].as_array().into_iter().flatten() {
                    assert!(allows(value.clone()), "{field}: {value}");
                }
                if !rule["default"].is_null() {
                    assert!(allows(rule["default"].clone()), "{field}: its default");
                }
                let is_text = rule["type"] == "string" || rule.get("$ref").is_some();
                assert_eq!(allows("x.m3u8".into()), is_text, "{field}: text");
                assert!(!allows(json!([])), "{field}: a list");
            }
        }
    }

    #[test]
    fn the_schema_has_the_defaults() {
        let schema = schema();
        let fields = &schema["$defs"]["channel"]["properties"];
        for field in Field::ALL.into_iter().filter(|field| *field != Field::Description) {
            let default = field.wanted(&Configuration::default());
            assert_eq!(fields[field.name()]["default"], default, "{}", field.name());
        }
        let interval = &fields[SNAPSHOT]["properties"]["interval"]["default"];
        assert_eq!(interval, SNAPSHOT_INTERVAL);
    }
}
