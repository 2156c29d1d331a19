//! Objects: lists of several pages, broken transfers, and deletion in batches.

use osslive::{Client, ErrorKind, GetObject, ListObjects, SignatureVersion, code};
use osslive_local::{Config, Control, Disconnect, FaultRule, InitialState, LocalEndpoint};
use std::io;
use std::time::Duration;

/// Starts an endpoint with these objects, and returns it with its control.
fn endpoint(objects: &[(&str, &str)]) -> (LocalEndpoint, Control) {
    let objects: Vec<_> =
        objects.iter().map(|(key, text)| serde_json::json!({ "key": key, "text": text })).collect();
    let state = serde_json::json!({ "buckets": [{ "name": "live-demo", "objects": objects }] });
    let state = InitialState::parse(&state.to_string()).unwrap();
    let endpoint = LocalEndpoint::start(Config::temporary().initial(state).control()).unwrap();
    let control = endpoint.control().unwrap();
    (endpoint, control)
}

fn client(endpoint: &LocalEndpoint) -> Client {
    endpoint.client_builder().build().unwrap()
}

fn get(client: &Client, query: &GetObject) -> osslive::Result<String> {
    let mut bytes = Vec::new();
    let info = client.get_object(query, &mut bytes)?;
    assert_eq!(info.length, bytes.len() as u64);
    Ok(String::from_utf8(bytes).unwrap())
}

/// Returns a string that shows the position of each byte.
fn long_text() -> String {
    (0..60_000).map(|number| format!("{number:06},")).collect()
}

fn broken(cut_after_bytes: u64, times: u32) -> FaultRule {
    let times = Some(times);
    FaultRule { cut_after_bytes: Some(cut_after_bytes), times, ..FaultRule::new("GetObject") }
}

#[test]
fn objects_of_all_pages_are_listed_with_both_signature_versions() {
    let names: Vec<_> = (0..2_345).map(|number| format!("c/{number:04} ü&.ts")).collect();
    let objects: Vec<_> = names.iter().map(|name| (name.as_str(), "text")).collect();
    let (endpoint, _) = endpoint(&[&objects[..], &[("d", "other")]].concat());
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let client = endpoint.client_builder().signature_version(version).build().unwrap();
        let found: Vec<_> = client.objects("c/", "").map(Result::unwrap).collect();
        assert!(found.iter().map(|object| &object.key).eq(&names));
        assert!(found.iter().all(|object| object.size == 4 && object.last_modified.is_some()));
        let rest: Vec<_> = client.objects("c/", names[2_000].as_str()).collect();
        assert_eq!(rest.len(), 344);
        let page = client.list_objects(&ListObjects::new().max_keys(2)).unwrap();
        assert_eq!((page.objects.len(), page.is_truncated), (2, true));
    }
}

#[test]
fn the_requested_range_of_an_object_is_returned() {
    let (endpoint, _) = endpoint(&[("a b/c", "0123456789"), ("empty", "")]);
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let client = endpoint.client_builder().signature_version(version).build().unwrap();
        let key = || GetObject::new("a b/c");
        assert_eq!(get(&client, &key()).unwrap(), "0123456789");
        assert_eq!(get(&client, &key().range(3..5)).unwrap(), "34");
        assert_eq!(get(&client, &key().range(7..)).unwrap(), "789");
        assert_eq!(get(&client, &key().range(8..100)).unwrap(), "89");
        assert_eq!(get(&client, &GetObject::new("empty")).unwrap(), "");
        let beyond = get(&client, &key().range(10..)).unwrap_err();
        assert_eq!(beyond.status(), Some(416), "{beyond}");
        let missing = get(&client, &GetObject::new("nothing")).unwrap_err();
        assert_eq!(missing.code(), Some(code::NO_SUCH_KEY));
        let changed = get(&client, &key().if_match("\"another\"")).unwrap_err();
        assert_eq!(changed.status(), Some(412), "{changed}");
    }
}

#[test]
fn a_broken_transfer_is_resumed_where_it_stopped() {
    let text = long_text();
    let (endpoint, control) = endpoint(&[("long", &text)]);
    let client = endpoint.client_builder().attempts(2).build().unwrap();
    // Far more breaks than attempts, but each attempt makes progress.
    control.add(broken(30_000, 10)).unwrap();
    let mut bytes = Vec::new();
    let info = client.get_object(&GetObject::new("long"), &mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), text);
    assert_eq!((info.size, info.start, info.res.attempts), (420_000, 0, 11));
    control.add(broken(1_000, 3)).unwrap();
    assert_eq!(get(&client, &GetObject::new("long").range(5..9_999)).unwrap(), text[5..9_999]);
}

#[test]
fn a_transfer_without_progress_ends_with_an_error() {
    let (endpoint, control) = endpoint(&[("long", &long_text())]);
    control.add(broken(0, 100)).unwrap();
    let client = endpoint.client_builder().attempts(2).build().unwrap();
    let error = client.get_object(&GetObject::new("long"), &mut io::sink()).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 2));
}

#[test]
fn a_slow_transfer_may_take_longer_than_the_timeout_of_a_call() {
    let text = long_text();
    let (endpoint, control) = endpoint(&[("long", &text)]);
    let slow = FaultRule { bytes_per_second: Some(200_000), ..FaultRule::new("GetObject") };
    control.add(slow).unwrap();
    let client = endpoint.client_builder().timeout(Duration::from_millis(700)).build().unwrap();
    assert_eq!(get(&client, &GetObject::new("long")).unwrap(), text);
    control.clear_faults();
    let silent = FaultRule { disconnect: Some(Disconnect::Hang), ..FaultRule::new("GetObject") };
    control.add(silent).unwrap();
    let error = get(&client, &GetObject::new("long")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn a_response_that_does_not_match_the_request_is_an_error() {
    let (endpoint, control) = endpoint(&[("k", "0123456789")]);
    let client = client(&endpoint);
    for (head, word) in [
        ("HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n", "Content-Range"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "Content-Range"),
        (
            "HTTP/1.1 206 P\r\nContent-Length: 2\r\nContent-Range: bytes 0-1/10\r\n\r\n",
            "bytes 0-1/10",
        ),
        ("HTTP/1.1 307 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "redirect"),
    ] {
        let raw = Some(format!("{head}ab"));
        control.add(FaultRule { raw, times: Some(1), ..FaultRule::new("GetObject") }).unwrap();
        let mut bytes = Vec::new();
        let error = client.get_object(&GetObject::new("k").range(2..4), &mut bytes).unwrap_err();
        assert!(error.message().contains(word), "{error}");
        assert!(bytes.is_empty(), "{head:?} was written");
        control.clear_faults();
    }
}

#[test]
fn a_writer_that_fails_ends_the_transfer() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no space left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (endpoint, _) = endpoint(&[("k", "0123456789")]);
    let error = client(&endpoint).get_object(&GetObject::new("k"), &mut Full).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::File, 1));
    assert!(error.message().contains("no space left"), "{error}");
}

#[test]
fn objects_are_deleted_in_batches_with_both_signature_versions() {
    let names: Vec<_> = (0..1_002).map(|number| format!("c/{number:04}<&>ü .ts")).collect();
    let objects: Vec<_> = names.iter().map(|name| (name.as_str(), "text")).collect();
    let (endpoint, _) = endpoint(&objects);
    let delete = |version, keys: &[String]| {
        let client = endpoint.client_builder().signature_version(version).build().unwrap();
        client.delete_objects(keys).unwrap();
        client.objects("", "").map(|object| object.unwrap().key).collect::<Vec<_>>()
    };
    assert_eq!(delete(SignatureVersion::V4, &names[..1_000]), names[1_000..]);
    // Objects that do not exist are not an error.
    assert_eq!(delete(SignatureVersion::V1, &names[2..]), Vec::<String>::new());
}
