//! FLV files, and the bodies of their tags.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::media::flv::{self, Reader, TagKind};

fuzz_target!(|data: &[u8]| {
    if let Ok(tags) = Reader::new(data) {
        let mut bytes = 0;
        for tag in tags.map_while(Result::ok) {
            bytes += tag.body.len();
            match tag.kind {
                TagKind::Video => drop(flv::video(&tag.body)),
                TagKind::Audio => drop(flv::audio(&tag.body)),
                TagKind::Script => drop(osslive_local::rtmp::amf0::decode(&tag.body)),
            }
        }
        assert!(bytes <= data.len());
    }
    let _ = flv::video(data);
    let _ = flv::audio(data);
});
