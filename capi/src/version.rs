//! The version of the library.

use libc::c_char;

/// The ABI version of this header.
pub const OSSLIVE_ABI_VERSION: u32 = 1;

/// Returns the version of the loaded library, such as "0.1.0". Compare it with
/// OSSLIVE_VERSION, the version of the header. The string belongs to the
/// library.
#[unsafe(no_mangle)]
pub extern "C" fn osslive_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Returns the ABI version of the loaded library. Programs that load the
/// library by name compare it with OSSLIVE_ABI_VERSION. It changes only when
/// existing programs would break.
#[unsafe(no_mangle)]
pub extern "C" fn osslive_abi_version() -> u32 {
    OSSLIVE_ABI_VERSION
}
