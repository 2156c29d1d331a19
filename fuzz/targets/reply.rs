//! Every parser of the service's responses, including errors.
//!
//! The first byte chooses the operation, the second the status.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive::operation::{self, Reply};
use osslive::{ChannelConfig, GetObject, ListChannels, ListObjects, VodTime};

/// Takes the headers of an object out of the body: the length, then the range.
fn with_range(mut reply: Reply) -> Reply {
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    let (length, range) = text.split_once('\n').unwrap_or((&text, ""));
    reply.content_length = length.parse().ok();
    reply.content_range = Some(range.to_owned()).filter(|range| !range.is_empty());
    reply
}

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
    let error = match operation % 10 {
        0 => operation::put_channel("cam", &ChannelConfig::default()).unwrap().parse(&reply).err(),
        1 => operation::get_channel("cam").unwrap().parse(&reply).err(),
        2 => operation::list_channels(&ListChannels::new()).unwrap().parse(&reply).err(),
        3 => operation::get_channel_status("c").unwrap().parse(&reply).err(),
        4 => operation::get_channel_history("c").unwrap().parse(&reply).err(),
        5 => operation::get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&reply).err(),
        6 => operation::delete_channel("c").unwrap().parse(&reply).err(),
        7 => operation::list_objects(&ListObjects::new()).unwrap().parse(&reply).err(),
        8 => operation::delete_objects(&["k"]).unwrap().parse(&reply).err(),
        _ => operation::get_object(&GetObject::new("k").range(5..50))
            .unwrap()
            .parse(&with_range(reply))
            .err(),
    };
    if let Some(error) = error {
        assert!(error.request_id().is_some(), "{error}");
        assert_eq!(error.status(), Some(status), "{error}");
        assert!(!error.to_string().is_empty());
    } else {
        assert!(status < 300, "an error status was taken for success");
    }
});
