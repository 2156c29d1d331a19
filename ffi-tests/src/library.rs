//! The C library, built and installed as users install it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An installation below a prefix.
#[derive(Debug)]
pub struct Library {
    /// The prefix.
    pub prefix: PathBuf,
}

impl Library {
    /// The library, installed once for all tests of a program by the script
    /// behind `make install`.
    pub fn installed() -> &'static Library {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        LIBRARY.get_or_init(|| {
            let prefix = scratch("installed");
            install("install", &[("PREFIX", &prefix)]);
            Library { prefix }
        })
    }

    /// The folder of the libraries.
    pub fn lib(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    /// The folder of the headers.
    pub fn include(&self) -> PathBuf {
        self.prefix.join("include")
    }

    /// The names of the functions that the header declares.
    pub fn functions(&self) -> BTreeSet<String> {
        let header = std::fs::read_to_string(self.include().join("osslive.h")).expect("the header");
        let code = header.lines().filter(|line| !line.starts_with([' ', '/', '#', '}']));
        let name = |line: &str| {
            let (before, _) = line.split_once('(')?;
            let at = before.find("osslive_").filter(|_| !line.starts_with("typedef"))?;
            before.get(at..)?.rsplit([' ', '*']).next().map(str::to_owned)
        };
        code.filter_map(name).collect()
    }

    /// The shared library.
    pub fn shared(&self) -> PathBuf {
        self.lib().join("libosslive.so")
    }
}

/// Runs the installer.
pub fn install(what: &str, variables: &[(&str, &Path)]) {
    let mut command = Command::new("sh");
    command.arg(root().join("packaging/install.sh")).arg(what);
    command.env("OSSLIVE_BUILD", target().join("capi"));
    for (name, value) in variables {
        command.env(name, value);
    }
    let output = command.output().expect("sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A release build of the shared library with a function that panics, which
/// the installed one has not. Without link-time optimisation, to be quicker.
pub fn with_test_panic() -> PathBuf {
    let build = target().join("capi-panic");
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["rustc", "--quiet", "--package", "osslive-capi", "--lib", "--release"])
        .args(["--no-default-features", "--features", "test-panic"])
        .args(["--config", "profile.release.lto=\"off\""])
        .arg("--target-dir")
        .arg(&build)
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    build.join("release/libosslive.so")
}

/// The top of the source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the source tree")
}

/// A folder for what a test makes, which the next run finds again.
pub fn scratch(name: &str) -> PathBuf {
    let folder = target().join("ffi-tests").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Cargo's target folder, above `PROFILE/deps` where the test program is.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    program.ancestors().nth(3).expect("a target folder").to_owned()
}
