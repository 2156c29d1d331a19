//! Another project, outside the source tree, finds the installed library: with
//! pkg-config and CMake, shared and static.

use osslive_ffi_tests::{Library, Run, Service, has, install, root};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A separate directory, removed after the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        builder.prefix("consumer-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Folder(builder.tempdir().expect("a folder"))
    }

    fn with_project() -> Self {
        let folder = Folder::new();
        for file in ["main.c", "Makefile", "CMakeLists.txt"] {
            let from = root().join("ffi-tests/consumer").join(file);
            fs::copy(from, folder.path().join(file)).expect("a copy");
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }
}

/// Checks that both programs run, and that only one of them needs the shared library.
fn both_work(folder: &Path) {
    let service = Service::start();
    for (program, needs_library) in [("shared", true), ("static", false)] {
        let path = folder.join(program);
        let output = service.run(&path).succeeds();
        assert!(output.contains("on-air is live"), "{output}");
        let needed = Run::program("readelf").arg("-dW").arg(&path).succeeds();
        assert_eq!(needed.contains("libosslive.so.1"), needs_library, "{needed}");
    }
}

#[test]
fn a_project_finds_the_library_with_pkg_config() {
    if !has("pkg-config", "the consumer with pkg-config") || !has("make", "the consumer with make")
    {
        return;
    }
    let folder = Folder::with_project();
    let pkg_config = Library::installed().lib().join("pkgconfig");
    Run::program("make").env("PKG_CONFIG_PATH", pkg_config).within(folder.path()).succeeds();
    both_work(folder.path());
}

#[test]
fn a_project_finds_the_library_with_cmake() {
    if !has("cmake", "the consumer with CMake") {
        return;
    }
    let folder = Folder::with_project();
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", Library::installed().prefix.display());
    let build = folder.path().join("build");
    Run::program("cmake").arg("-S").arg(folder.path()).arg("-B").arg(&build).arg(prefix).succeeds();
    Run::program("cmake").arg("--build").arg(&build).succeeds();
    both_work(&build);
}

#[test]
fn an_installation_can_be_staged_and_is_removed_completely() {
    let stage = Folder::new();
    let variables = [("PREFIX", Path::new("/opt/osslive")), ("DESTDIR", stage.path())];
    install("install", &variables);
    let mut names: Vec<_> = stage.files();
    names.sort();
    let below = |name: &str| stage.path().join("opt/osslive").join(name);
    assert_eq!(
        names,
        [
            "include/osslive.h",
            "include/osslive.hpp",
            "include/osslive_json.hpp",
            "lib/cmake/osslive/osslive-config-version.cmake",
            "lib/cmake/osslive/osslive-config.cmake",
            "lib/libosslive.a",
            "lib/libosslive.so",
            "lib/libosslive.so.1",
            "lib/pkgconfig/osslive.pc",
            "share/osslive/schema/changes.json",
            "share/osslive/schema/channel-history.json",
            "share/osslive/schema/channel-list.json",
            "share/osslive/schema/channel-status.json",
            "share/osslive/schema/channel-urls.json",
            "share/osslive/schema/channel.json",
            "share/osslive/schema/diagnosis.json",
            "share/osslive/schema/done.json",
            "share/osslive/schema/download.json",
            "share/osslive/schema/functions.json",
            "share/osslive/schema/highlight-results.json",
            "share/osslive/schema/history-analysis.json",
            "share/osslive/schema/publish-url.json",
            "share/osslive/schema/put-results.json",
            "share/osslive/schema/sweep.json",
        ]
        .map(below)
    );
    for file in ["lib/pkgconfig/osslive.pc", "lib/cmake/osslive/osslive-config.cmake"] {
        let text = fs::read_to_string(below(file)).expect("a text");
        assert!(text.contains("/opt/osslive/lib"), "{text}");
        assert!(!text.contains('@') && !text.contains(&*stage.path().to_string_lossy()), "{text}");
    }
    install("uninstall", &variables);
    assert_eq!(stage.files(), <[PathBuf; 0]>::default());
}
