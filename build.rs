//! The build script of the package in capi/: writes include/osslive.h from its
//! source, and passes the linker what a C library needs.

fn main() {
    println!("cargo:rerun-if-changed=../build.rs");
    header::write();
    link::arguments();
    resource::link();
}

mod header {
    use std::fs;
    use std::path::Path;

    const HEADER: &str = "../include/osslive.h";

    /// The files of capi/src, in the order of the header.
    const FILES: &[&str] = &[
        "version",
        "error",
        "string",
        "log",
        "config",
        "credential_source",
        "client",
        "channel_config",
        "channel",
        "vod",
        "url",
        "progress",
        "status_callback",
        "sweep_options",
        "sweep",
        "channel_monitor",
        "highlight",
        "download",
        "diagnosis",
    ];

    /// Writes include/osslive.h if it differs, so that read-only sources with an
    /// up-to-date header work.
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

    /// The number in the library's file name, and OSSLIVE_ABI_VERSION in the
    /// header.
    const ABI_VERSION: u32 = 1;

    pub(super) fn arguments() {
        let os = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
        let arguments = match os.as_str() {
            // Rust libraries must not be unloaded: their thread-local destructors
            // stay registered.
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

/// The version in the properties of osslive.dll on Windows.
mod resource {
    use std::env;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    pub(super) fn link() {
        let of_target =
            |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
        // Other toolchains have other resource compilers.
        if of_target("OS") != "windows" || of_target("ENV") != "gnu" {
            return;
        }
        let folder = env::var("OUT_DIR").unwrap_or_default();
        let (source, object) = (format!("{folder}/version.rc"), format!("{folder}/version.o"));
        let compiler = format!("{}-w64-mingw32-windres", of_target("ARCH"));
        fs::write(&source, text()).expect("a file in OUT_DIR");
        let made = Command::new(&compiler).args([&source, &object]).status();
        if made.is_ok_and(|status| status.success()) && Path::new(&object).exists() {
            // Only in the shared library; programs that link the static library
            // have their own version.
            println!("cargo:rustc-cdylib-link-arg={object}");
        } else {
            println!("cargo:warning=osslive.dll has no version resource: {compiler} failed");
        }
    }

    fn text() -> String {
        let part = |part: &str| env::var(format!("CARGO_PKG_VERSION{part}")).unwrap_or_default();
        let (major, minor, patch) = (part("_MAJOR"), part("_MINOR"), part("_PATCH"));
        let version = part("");
        format!(
            r#"1 VERSIONINFO
FILEVERSION {major},{minor},{patch},0
PRODUCTVERSION {major},{minor},{patch},0
FILEOS 0x40004
FILETYPE 2
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904B0"
    BEGIN
      VALUE "FileDescription", "RTMP live channels on Alibaba Cloud OSS"
      VALUE "FileVersion", "{version}"
      VALUE "InternalName", "osslive"
      VALUE "LegalCopyright", "MIT OR Apache-2.0"
      VALUE "OriginalFilename", "osslive.dll"
      VALUE "ProductName", "osslive"
      VALUE "ProductVersion", "{version}"
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x409, 1200
  END
END
"#
        )
    }
}
