//! Where requests begin on a connection: the same however its bytes arrive.
//!
//! The first byte says in which pieces they do.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::fuzzing::verdicts;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    let whole = verdicts(bytes, bytes.len());
    assert_eq!(verdicts(bytes, usize::from(*size)), whole);
    // Nothing behind a refused head is heard.
    assert!(whole.iter().rev().skip(1).all(|is_clear| *is_clear), "{whole:?}");
});
