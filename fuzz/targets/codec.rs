//! Codec configurations and access units: SPS, AVC records, AAC configurations.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::media::aac::AacConfig;
use osslive_local::media::avc::{AccessUnit, AvcConfig, Picture};

fuzz_target!(|data: &[u8]| {
    if let Ok(config) = AvcConfig::parse(data) {
        assert!(config.key_frame_prefix().len() <= 6 + 4 * 300 + data.len());
        assert!((1..=4).contains(&config.nal_length_size));
    }
    if let Ok(picture) = Picture::from_sps(data) {
        assert!(picture.width > 0 && picture.height > 0, "{picture:?}");
        assert!(picture.frame_rate.is_none_or(|rate| rate.is_finite() && rate > 0.0));
    }
    if let Ok(config) = AacConfig::parse(data) {
        assert!(config.sample_rate > 0 && config.core_sample_rate > 0);
        if let Ok(header) = config.adts_header(data.len()) {
            assert_eq!(header[..2], [0xff, 0xf1]);
        }
    }
    for size in 1..=4 {
        if let Ok(unit) = AccessUnit::parse(data, size) {
            assert!(unit.nal_units(true).map(<[u8]>::len).sum::<usize>() <= data.len());
        }
    }
});
