//! The log of commands that run for a long time: one line on stderr per event.

use crate::output::to_stderr;
use crate::text::{clean, clean_json};
use clap::ValueEnum;
use osslive_local::Level;
use serde_json::{Map, Value, json};
use std::sync::mpsc::Sender;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // Not doc comments: for clap, they would make every command's help longer.
    Text,
    Json,
    None,
}

impl Format {
    /// Returns the default format.
    pub(crate) fn usual(json: bool) -> Self {
        if json { Format::Json } else { Format::Text }
    }

    /// Writes a line in this format.
    pub(crate) fn write(self, text: impl FnOnce() -> String, json: impl FnOnce() -> String) {
        match self {
            Format::Text => to_stderr(&text()),
            Format::Json => to_stderr(&json()),
            Format::None => {}
        }
    }
}

/// The command's own log.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    format: Format,
    /// Shows the lines elsewhere on a terminal, where they would disturb the
    /// display.
    screen: Option<Sender<String>>,
}

impl Log {
    pub(crate) fn new(format: Format, screen: Option<Sender<String>>) -> Self {
        Log { format, screen }
    }

    /// Returns whether the lines are written to stderr.
    pub(crate) fn is_on_stderr(&self) -> bool {
        self.screen.is_none()
    }

    pub(crate) fn info(&self, message: &str, fields: Value) {
        self.write(Level::Info, message, fields);
    }

    pub(crate) fn warn(&self, message: &str, fields: Value) {
        self.write(Level::Warn, message, fields);
    }

    pub(crate) fn error(&self, message: &str, fields: Value) {
        self.write(Level::Error, message, fields);
    }

    fn write(&self, level: Level, message: &str, fields: Value) {
        let time = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let Value::Object(fields) = fields else { return };
        match &self.screen {
            Some(screen) => screen.send(text(&time, level, message, &fields)).unwrap_or_default(),
            None => self.format.write(
                || text(&time, level, message, &fields),
                || json_line(&time, level, message, &fields),
            ),
        }
    }
}

fn text(time: &str, level: Level, message: &str, fields: &Map<String, Value>) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    clean(&format!("{time} {level:<5} {message}{fields}"))
}

fn json_line(time: &str, level: Level, message: &str, fields: &Map<String, Value>) -> String {
    let mut line = json!({ "time": time, "level": level.to_string(), "message": message });
    if let Value::Object(line) = &mut line {
        line.extend(fields.clone());
    }
    clean_json(&line.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_one_event_with_its_fields() {
        let fields = json!({ "channel": "a\nb", "attempt": 2 });
        let Value::Object(fields) = fields else { unreachable!() };
        let (time, message) = ("2026-05-01T19:30:00Z", "cannot deliver");
        let line = text(time, Level::Warn, message, &fields);
        assert!(line.starts_with("2026-05-01T19:30:00Z warn  cannot deliver "), "{line}");
        assert!(line.contains(r#" channel="a\nb""#) && line.contains(" attempt=2"), "{line}");
        let line = json_line(time, Level::Warn, message, &fields);
        let value: Value = serde_json::from_str(&line).unwrap();
        assert!(!line.contains('\n'));
        let expected = json!({
            "time": time, "level": "warn", "message": message, "channel": "a\nb", "attempt": 2,
        });
        assert_eq!(value, expected);
    }
}
