//! Where the command keeps data, who can read it, and what it leaves behind.

#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use osslive::ChannelConfig;
use support::{Endpoint, Folder, Program, wait_until};

/// Returns the paths in a directory, with their modes.
fn modes(path: &Path) -> Vec<(PathBuf, u32)> {
    let metadata = fs::symlink_metadata(path).expect("it exists");
    let mut found = vec![(path.to_owned(), metadata.permissions().mode() & 0o7777)];
    if metadata.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            found.extend(modes(&entry.expect("an entry").path()));
        }
    }
    found
}

#[test]
fn nobody_else_can_read_the_data_whatever_the_umask() {
    let folder = Folder::new("umask");
    for umask in ["000", "022", "027"] {
        let data = folder.path().join(umask).join("data");
        let program = env!("CARGO_BIN_EXE_osslive");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\""), program]);
        let endpoint = Endpoint::start_as(command, &data, &["--acl", "public-read-write"]);
        let client = endpoint.client();
        client.put_channel("cam", &ChannelConfig::new("")).expect("a channel");
        let url = format!("{}/live-demo/some/object.ts", endpoint.url);
        ureq::put(&url).send("content").expect("an upload");
        let found = modes(&data);
        let names = found.iter().map(|(path, _)| path.file_name().expect("a name"));
        let names: BTreeSet<_> = names.map(|name| name.to_str().expect("UTF-8")).collect();
        assert!(names.is_superset(&BTreeSet::from(["cam.json", "object.ts", ".osslive"])));
        for (path, mode) in found {
            assert_eq!(mode & 0o077, 0, "umask {umask}: {}: {mode:o}", path.display());
        }
    }
}

#[test]
fn an_endpoint_ends_with_its_parent_and_leaves_no_temporary_folder() {
    let folder = Folder::new("stdin");
    let mut command = Command::new(env!("CARGO_BIN_EXE_osslive"));
    command.args(["local", "--listen", "127.0.0.1:0", "--temporary", "--exit-with-stdin"]);
    let mut child = command
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let is_there = || fs::read_dir(folder.path()).expect("a folder").count() == 1;
    wait_until("a temporary directory", || (is_there(), ()));
    let input = child.stdin.take().expect("stdin is piped");
    assert!(child.try_wait().expect("a child").is_none(), "it ended before its input");
    // The system does this too when the parent is killed.
    drop(input);
    wait_until("the end", || (child.try_wait().expect("a child").is_some(), ()));
    assert!(child.wait().expect("a status").success());
    assert_eq!(modes(folder.path()).len(), 1, "{:?}", modes(folder.path()));
}

fn demo(temporary: &Path) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osslive"));
    let demo = Program::start(command.args(["demo", "--clip"]).env("TMPDIR", temporary));
    wait_until("a channel", || (demo.printed().contains("publish"), demo.printed()));
    demo
}

fn names(folder: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn the_demo_uses_an_unpredictable_folder_and_touches_no_other() {
    let folder = Folder::new("demo");
    let temporary = folder.path().join("tmp");
    let home = folder.path().join("home");
    for path in [&home.join("photos"), &temporary.join("osslive-full/.scratch/part-0")] {
        fs::create_dir_all(path).expect("a folder");
    }
    for name in ["osslive-", "osslive-demo", "osslive-000000", "osslive-demo-1-1"] {
        symlink(&home, temporary.join(name)).expect("a link");
    }
    let before = modes(folder.path());
    let first = demo(&temporary);
    let made: Vec<_> = names(&temporary)
        .into_iter()
        .filter(|path| !before.iter().any(|(known, _)| known == path))
        .collect();
    let [made] = &made[..] else { panic!("{made:?}") };
    assert_eq!(modes(made)[0].1, 0o700);
    // Killed when dropped.
    drop(first);
    assert!(made.exists(), "a killed process cannot clean up");
    // Two at once: both run, and the directory of the killed one is removed.
    let both = (demo(&temporary), demo(&temporary));
    assert!(!made.exists(), "{}", made.display());
    assert_eq!(names(&temporary).len(), 5 + 2);
    drop(both);
    for path in names(&temporary) {
        if !before.iter().any(|(known, _)| *known == path) {
            fs::remove_dir_all(path).expect("a folder");
        }
    }
    assert_eq!(modes(folder.path()), before);
}
