//! Request boundaries on a connection: they do not depend on how its bytes arrive.
//!
//! The first byte is the size of the pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use osslive_local::fuzzing::verdicts;

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else { return };
    let whole = verdicts(bytes, bytes.len());
    assert_eq!(verdicts(bytes, usize::from(*size)), whole);
    // Nothing after a rejected head is processed.
    assert!(whole.iter().rev().skip(1).all(|is_clear| *is_clear), "{whole:?}");
});
