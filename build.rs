//! The build script of the package in capi/: writes include/osslive.h from its
//! source, and passes the linker what a C library needs.

fn main() {
    println!("cargo:rerun-if-changed=../build.rs");
    header::write();
    link::arguments();
}

mod header {
    use std::fs;
    use std::path::Path;

    const HEADER: &str = "../include/osslive.h";

    /// The files of capi/src in the order in which the header shows them.
    const FILES: &[&str] = &[
        "version",
        "error",
        "string",
        "log",
        "config",
        "client",
        "channel_config",
        "channel",
        "vod",
        "url",
        "progress",
        "sweep_options",
        "sweep",
        "channel_monitor",
        "highlight",
    ];

    /// Writes include/osslive.h where it differs: a tree that may not be
    /// written to is left alone as long as its header is right.
    pub(super) fn write() {
        for input in ["src", "../cbindgen.toml", HEADER] {
            println!("cargo:rerun-if-changed={input}");
        }
        let path = Path::new(HEADER);
        let text = text();
        if fs::read_to_string(path).is_ok_and(|found| found == text) {
            return;
        }
        if let Err(error) = fs::write(path, text) {
            println!("cargo:warning=include/osslive.h is out of date: {error}");
        }
    }

    fn text() -> String {
        let mut config = cbindgen::Config::from_file("../cbindgen.toml").expect("cbindgen.toml");
        config.after_includes = Some(version_macros());
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(format!("src/{file}.rs"));
        }
        let mut text = Vec::new();
        builder.generate().expect("a header").write(&mut text);
        String::from_utf8(text).expect("UTF-8")
    }

    fn version_macros() -> String {
        let [version, major, minor, patch] = ["", "_MAJOR", "_MINOR", "_PATCH"]
            .map(|part| number(&format!("CARGO_PKG_VERSION{part}")));
        format!(
            r#"
/**
 * The version of this header.
 */
#define OSSLIVE_VERSION "{version}"
#define OSSLIVE_VERSION_MAJOR {major}
#define OSSLIVE_VERSION_MINOR {minor}
#define OSSLIVE_VERSION_PATCH {patch}

/**
 * True if this header has at least this version, for #if.
 */
#define OSSLIVE_VERSION_AT_LEAST(major, minor, patch) \
  (OSSLIVE_VERSION_MAJOR > (major) || \
   (OSSLIVE_VERSION_MAJOR == (major) && \
    (OSSLIVE_VERSION_MINOR > (minor) || \
     (OSSLIVE_VERSION_MINOR == (minor) && OSSLIVE_VERSION_PATCH >= (patch)))))"#
        )
    }

    fn number(variable: &str) -> String {
        std::env::var(variable).unwrap_or_default()
    }
}

mod link {
    use std::env;

    /// The number in the library's file name; OSSLIVE_ABI_VERSION in the
    /// header.
    const ABI_VERSION: u32 = 1;

    pub(super) fn arguments() {
        let os = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
        let arguments = match os.as_str() {
            // A Rust library does not survive dlclose: its thread-local
            // destructors stay registered.
            "linux" | "android" => {
                vec![format!("-Wl,-soname,libosslive.so.{ABI_VERSION}"), "-Wl,-z,nodelete".into()]
            }
            "freebsd" | "netbsd" | "openbsd" | "dragonfly" => {
                vec![format!("-Wl,-soname,libosslive.so.{ABI_VERSION}")]
            }
            "macos" => vec![format!("-Wl,-install_name,@rpath/libosslive.{ABI_VERSION}.dylib")],
            _ => vec![],
        };
        for argument in arguments {
            println!("cargo:rustc-cdylib-link-arg={argument}");
        }
    }
}
