//! The event log on stderr: one line per event.

use crate::log::Format;
use crate::text::{clean, clean_json};
use osslive_local::{Config, Event, Level};

/// Logs a configuration's events up to a level.
pub(super) fn observe(format: Format, level: Level, config: Config) -> Config {
    match format {
        Format::None => config,
        _ => config.on_event(level, move |event| format.write(|| text(event), || json(event))),
    }
}

/// Formats an event as a line that cannot control a terminal.
fn text(event: &Event) -> String {
    let time = event.time.format(&time::format_description::well_known::Rfc3339);
    let place: Vec<&str> =
        [&event.bucket, &event.key].into_iter().flatten().map(|s| &**s).collect();
    let mut words = vec![
        time.unwrap_or_default(),
        format!("{:<5}", event.level),
        event.kind.to_string(),
        event.method.clone().unwrap_or_default(),
        event.operation.clone().unwrap_or_default(),
        place.join("/"),
        event.status.map(|status| status.to_string()).unwrap_or_default(),
        event.remote.map(|remote| format!("from {remote}")).unwrap_or_default(),
        event.duration_ms.map(duration).unwrap_or_default(),
    ];
    let code = event.ec.map(|ec| format!("{} ({ec})", event.code.unwrap_or("error")));
    let code = code.or_else(|| event.code.map(str::to_owned));
    let reason = [code, event.message.clone()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let count = event.count.map(|count| format!(" [{count}]")).unwrap_or_default();
    words.retain(|word| !word.is_empty());
    let line = words.join(" ");
    clean(&if reason.is_empty() { line } else { format!("{line}: {reason}{count}") })
}

fn duration(ms: u64) -> String {
    if ms < 10_000 { format!("{ms}ms") } else { format!("{}s", ms / 1000) }
}

fn json(event: &Event) -> String {
    clean_json(&serde_json::to_string(event).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the event that an endpoint reports as a JSON object.
    fn lines(record: impl FnOnce(&osslive_local::LocalEndpoint)) -> Vec<(String, String)> {
        let (sender, events) = std::sync::mpsc::channel();
        let sender = std::sync::Mutex::new(sender);
        let config = Config::temporary().on_event(Level::Debug, move |event| {
            let _ = sender.lock().unwrap().send((text(event), json(event)));
        });
        let endpoint = osslive_local::LocalEndpoint::start(config).unwrap();
        record(&endpoint);
        endpoint.stop();
        events.iter().collect()
    }

    #[test]
    fn a_line_holds_one_event_and_no_control_character() {
        use std::io::{Read, Write};
        let lines = lines(|endpoint| {
            let mut peer = std::net::TcpStream::connect(endpoint.address()).unwrap();
            let request = "GET /live-demo/a%0Ab%1B%5B2Jc%C2%9B%E2%80%AEd?x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
            peer.write_all(request.as_bytes()).unwrap();
            peer.read_to_end(&mut Vec::new()).unwrap();
        });
        let (text, json) = &lines[1];
        for line in [text, json] {
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
        assert!(text.contains(" warn  request GET GetObject live-demo/a\\u{a}b"), "{text}");
        assert!(text.contains(" 403 from 127.0.0.1:") && text.contains(": AccessDenied"), "{text}");
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(json["key"], "a\nb\u{1b}[2Jc\u{9b}\u{202e}d");
        assert_eq!((&json["code"], &json["status"]), (&"AccessDenied".into(), &403.into()));
    }
}
