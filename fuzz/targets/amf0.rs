//! AMF0: decoded values survive encoding and decoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::rtmp::amf0;

fuzz_target!(|data: &[u8]| {
    let Ok(values) = amf0::decode(data) else { return };
    let bytes = amf0::encode(&values);
    // Compares bytes, because NaN is not equal to itself.
    let again = amf0::decode(&bytes).expect("what was written can be read");
    assert_eq!(amf0::encode(&again), bytes);
});
