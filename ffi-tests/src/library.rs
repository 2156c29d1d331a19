//! The C library, built and installed as users install it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An installation with a prefix.
#[derive(Debug)]
pub struct Library {
    /// The prefix.
    pub prefix: PathBuf,
}

impl Library {
    /// Installs the library with the script behind `make install`, once for all
    /// tests of a program.
    pub fn installed() -> &'static Library {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        LIBRARY.get_or_init(|| {
            let prefix = scratch("installed");
            install("install", &[("PREFIX", &prefix)]);
            Library { prefix }
        })
    }

    /// Returns the directory of the libraries.
    pub fn lib(&self) -> PathBuf {
        self.prefix.join("lib")
    }

    /// Returns the directory of the headers.
    pub fn include(&self) -> PathBuf {
        self.prefix.join("include")
    }

    /// Returns the names of the functions in the header.
    pub fn functions(&self) -> BTreeSet<String> {
        let header = fs::read_to_string(self.include().join("osslive.h")).expect("the header");
        let code = header.lines().filter(|line| !line.starts_with([' ', '/', '#', '}']));
        let name = |line: &str| {
            let (before, _) = line.split_once('(')?;
            let at = before.find("osslive_").filter(|_| !line.starts_with("typedef"))?;
            before.get(at..)?.rsplit([' ', '*']).next().map(str::to_owned)
        };
        code.filter_map(name).collect()
    }

    /// Returns the shared library.
    pub fn shared(&self) -> PathBuf {
        self.lib().join("libosslive.so")
    }
}

/// Returns the library as built by cargo alone, whose functions have no version,
/// under the name that programs look for. Like [`Library::installed`], it is built once
/// for all tests of a program, which would otherwise overwrite each other's files.
pub fn unversioned() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        Library::installed();
        let folder = scratch("unversioned");
        place(&target().join("capi/release/libosslive.so"), &folder);
        folder
    })
}

/// Returns the library with an additional function in its own version, like a later
/// release. It is built once for all tests of a program.
pub fn later() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build_later)
}

fn build_later() -> PathBuf {
    let folder = scratch("later");
    let built = with_test_panic().with_extension("a");
    fs::copy(built, folder.join("libosslive.a")).expect("the static library");
    let map = fs::read_to_string(root().join("capi/osslive.map")).expect("the linker map");
    let more = "OSSLIVE_1.1 { osslive_test_panic; } OSSLIVE_1;\n";
    fs::write(folder.join("osslive.map"), map + more).expect("a linker map");
    let needed = fs::read_to_string(target().join("capi/native-static-libs"));
    let mut command = Command::new("sh");
    command.arg(root().join("packaging/link.sh")).arg(&folder);
    command.args(needed.expect("what the library needs").split_whitespace());
    let output = command.env("MAP", folder.join("osslive.map")).output().expect("sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place(&folder.join("libosslive.so"), &folder);
    folder
}

/// Copies a library to a directory under both names that are looked for.
fn place(library: &Path, folder: &Path) {
    for name in ["libosslive.so.1", "libosslive.so"] {
        let fresh = folder.join(format!("{name}.{}", std::process::id()));
        fs::copy(library, &fresh).expect("the library");
        fs::rename(fresh, folder.join(name)).expect("the library");
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

/// A release build of the shared library with a function that panics, which the
/// installed one lacks. Without link-time optimization, to be faster.
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

/// Returns the root of the source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the source tree")
}

/// Returns a directory for a test's files, which the next run reuses.
pub fn scratch(name: &str) -> PathBuf {
    let folder = target().join("ffi-tests").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Returns Cargo's target directory, above `PROFILE/deps` with the test program.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    program.ancestors().nth(3).expect("a target folder").to_owned()
}
