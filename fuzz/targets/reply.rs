//! Every parser of the service's answers, and the one of its errors.
//!
//! The first byte chooses the operation, the second the status.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive::operation::{self, Reply};

fuzz_target!(|data: &[u8]| {
    let [operation, status, body @ ..] = data else { return };
    let status = [200, 200, 200, 204, 301, 403, 404, 503][usize::from(status % 8)];
    let reply = Reply {
        status,
        request_id: Some("5C0632B2C6D9A9A6B3EE9C6A".into()),
        body: body.to_vec(),
        attempts: 1,
        ..Reply::default()
    };
    let error = match operation % 7 {
        0 => operation::parse_put_channel(&reply).err(),
        1 => operation::parse_get_channel("cam", &reply).err(),
        2 => operation::parse_list_channels(&reply).err(),
        3 => operation::parse_get_channel_status(&reply).err(),
        4 => operation::parse_get_channel_history(&reply).err(),
        5 => operation::parse_get_vod(&reply).err(),
        _ => operation::parse_done(&reply).err(),
    };
    if let Some(error) = error {
        assert!(error.request_id().is_some(), "{error}");
        assert_eq!(error.status(), Some(status), "{error}");
        assert!(!error.to_string().is_empty());
    } else {
        assert!(status < 300, "an error status was taken for success");
    }
});
