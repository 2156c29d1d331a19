//! The parser of ossutil's config file.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in [None, Some("default"), Some("a")] {
        let _ = osslive::profile::Profile::parse(text, name);
    }
});
