//! Which library this is.

use libc::c_char;

/// The number of the binary interface that this header describes.
pub const OSSLIVE_ABI_VERSION: u32 = 1;

/// The version of the library that is loaded, such as "0.1.0"; compare
/// OSSLIVE_VERSION, the version of the header. It belongs to the library.
#[unsafe(no_mangle)]
pub extern "C" fn osslive_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The number of the binary interface of the library that is loaded. A
/// program that loads the library by name compares it with
/// OSSLIVE_ABI_VERSION; the number changes only when programs built before
/// would no longer work.
#[unsafe(no_mangle)]
pub extern "C" fn osslive_abi_version() -> u32 {
    OSSLIVE_ABI_VERSION
}
