//! Links, owners, modes and pipes.

use super::{content, precious, refusal, replace_marker, start, visit};
use crate::support::{client_of, folder};
use osslive::ChannelConfig;
use osslive_local::Config;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

/// Runs a command in a folder; it must succeed.
fn run(folder: &Path, command: &[&str]) {
    let mut run = Command::new(command[0]);
    let output = run.args(&command[1..]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[test]
fn a_link_in_place_of_the_scratch_space_is_not_followed() {
    let folder = folder();
    let (data, home) = (folder.path().join("data"), folder.path().join("home"));
    let before = precious(&home);
    visit(&data);
    fs::remove_dir(data.join(".scratch")).unwrap();
    for target in [&home, &folder.path().join("missing")] {
        symlink(target, data.join(".scratch")).unwrap();
        let why = refusal(&data);
        assert!(why.contains(".scratch: it is a link"), "{why}");
        assert_eq!(content(&home), before);
        assert!(!folder.path().join("missing").exists());
        fs::remove_file(data.join(".scratch")).unwrap();
    }
}

#[test]
fn a_cloned_repository_is_not_accepted_as_a_data_folder() {
    let folder = folder();
    let (hostile, clone) = (folder.path().join("hostile"), folder.path().join("clone"));
    let home = folder.path().join("home");
    let before = precious(&home);
    // A data directory that an endpoint created, with files in the scratch space
    // that would be deleted as leftovers, or with a link there.
    visit(&hostile.join("osslive-data"));
    visit(&hostile.join("linked"));
    precious(&hostile.join("osslive-data/.scratch"));
    fs::remove_dir(hostile.join("linked/.scratch")).unwrap();
    symlink("../../home", hostile.join("linked/.scratch")).unwrap();
    fs::create_dir(hostile.join("bare")).unwrap();
    symlink("../../home", hostile.join("bare/.scratch")).unwrap();
    symlink("../home", hostile.join("itself")).unwrap();
    run(&hostile, &["git", "init", "-q"]);
    run(&hostile, &["git", "add", "--force", "."]);
    let author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    run(&hostile, &[&["git"], &author[..], &["commit", "-q", "-m", "gift"]].concat());
    run(folder.path(), &["git", "clone", "-q", "hostile", "clone"]);
    assert!(clone.join("osslive-data/.osslive").exists(), "the marker was not cloned");
    for (data, words) in [
        ("osslive-data", ".osslive: it is writable, so it was not created by an endpoint"),
        ("linked", ".osslive: it is writable, so it was not created by an endpoint"),
        ("bare", "it is not empty and has no marker"),
        ("itself", "it is a link"),
    ] {
        let why = refusal(&clone.join(data));
        assert!(why.contains(words), "{data}: {why}");
        assert_eq!(content(&home), before);
    }
}

#[test]
fn a_link_in_place_of_the_data_folder_is_refused() {
    let folder = folder();
    let (home, empty, link) =
        (folder.path().join("home"), folder.path().join("empty"), folder.path().join("link"));
    precious(&home);
    fs::create_dir(&empty).unwrap();
    let real = folder.path().join("real");
    visit(&real);
    for target in [&home, &empty, &real, &folder.path().join("missing")] {
        symlink(target, &link).unwrap();
        for name in ["link", "link/", "link/.", "link//./"] {
            let why = refusal(&folder.path().join(name));
            assert!(why.starts_with("it is a link"), "{name}: {why}");
        }
        fs::remove_file(&link).unwrap();
    }
    // Links above it are up to the user.
    symlink(&empty, &link).unwrap();
    visit(&link.join("data"));
}

#[test]
fn a_file_or_a_pipe_is_not_accepted_as_a_data_folder() {
    let folder = folder();
    fs::write(folder.path().join("file"), "kept").unwrap();
    run(folder.path(), &["mkfifo", "pipe"]);
    for name in ["file", "pipe"] {
        assert_eq!(refusal(&folder.path().join(name)), "not a directory");
    }
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let folder = folder();
    let (empty, data) = (folder.path().join("empty"), folder.path().join("data"));
    fs::create_dir(&empty).unwrap();
    visit(&data);
    if fs::metadata(&empty).unwrap().uid() != 0 {
        // Belongs to another user, unless the test runs as the superuser.
        let why = start(Path::new("/")).unwrap_err().to_string();
        assert!(why.contains("belongs to user 0"), "{why}");
        eprintln!("skipped: folders of another user: only the superuser can create them");
        return;
    }
    for folder in [&empty, &data] {
        chown(folder, Some(12345), None).unwrap();
        let why = refusal(folder);
        assert!(why.contains("belongs to user 12345: must belong to user 0"), "{why}");
    }
    // Anything of another user in the user's own folder is refused too.
    chown(&data, Some(0), None).unwrap();
    for name in [".osslive", ".lock", ".scratch", "live-demo", "live-demo/objects"] {
        chown(data.join(name), Some(12345), None).unwrap();
        let why = refusal(&data);
        assert!(why.contains(&format!("/{name}: it belongs to user 12345")), "{name}: {why}");
        chown(data.join(name), Some(0), None).unwrap();
    }
    visit(&data);
}

#[test]
fn an_invalid_marker_is_refused_at_once() {
    let folder = folder();
    let data = folder.path().join("data");
    visit(&data);
    let marker = data.join(".osslive");
    let text = fs::read_to_string(&marker).unwrap();
    let kept = folder.path().join("kept");
    fs::rename(&marker, &kept).unwrap();
    for target in [kept.as_path(), Path::new("missing"), Path::new(".osslive")] {
        symlink(target, &marker).unwrap();
        assert!(refusal(&data).contains(".osslive: it is a link"));
        fs::remove_file(&marker).unwrap();
    }
    // A pipe without a writer, on which a reader would block.
    run(&data, &["mkfifo", "-m", "400", ".osslive"]);
    assert!(refusal(&data).contains(".osslive: it is not a regular file"));
    fs::remove_file(&marker).unwrap();
    fs::write(&marker, &text).unwrap();
    assert!(refusal(&data).contains(".osslive: it is writable"));
    replace_marker(&data, &text);
    assert!(refusal(&data).contains(".osslive: it is writable"));
    fs::set_permissions(&marker, Permissions::from_mode(0o000)).unwrap();
    if fs::metadata(&marker).unwrap().uid() != 0 {
        assert!(refusal(&data).contains(".osslive: Permission denied"));
    }
    fs::set_permissions(&marker, Permissions::from_mode(0o400)).unwrap();
    visit(&data);
}

#[test]
fn links_and_pipes_in_the_folder_are_refused_with_their_path() {
    let folder = folder();
    let home = folder.path().join("home");
    let before = precious(&home);
    for name in [
        ".lock",
        "another-bucket",
        "live-demo",
        "live-demo/bucket.json",
        "live-demo/channels",
        "live-demo/channels/cam.json",
        "live-demo/fragments",
        "live-demo/objects",
        "live-demo/records",
    ] {
        for target in [Some("home"), Some("home/part-0"), Some("missing"), None] {
            let data = folder.path().join("data");
            visit(&data);
            let place = data.join(name);
            let _ = fs::remove_file(&place).or_else(|_| fs::remove_dir_all(&place));
            match target {
                Some(target) => symlink(folder.path().join(target), &place).unwrap(),
                None => run(&data, &["mkfifo", name]),
            }
            // A pipe next to the buckets is ignored.
            if target.is_some() || name != "another-bucket" {
                let why = start(&data).map(|_| "started").map_err(|error| error.to_string());
                let why = why.expect_err(name);
                assert!(why.contains(name.rsplit('/').next().unwrap()), "{name}: {why}");
            }
            assert_eq!(content(&home), before, "{name}");
            assert!(!folder.path().join("missing").exists(), "{name}");
            fs::remove_dir_all(&data).unwrap();
        }
    }
}

/// Returns everything at and below a path to which other users have any access.
fn open_to_others(path: &Path) -> Vec<String> {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mut open = Vec::new();
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    let mode = metadata.mode() & 0o7777;
    if mode & !expected != 0 {
        open.push(format!("{}: {mode:o}", path.display()));
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            open.extend(open_to_others(&entry.unwrap().path()));
        }
    }
    open
}

#[test]
fn a_folder_accessible_to_others_is_closed_with_its_contents() {
    let folder = folder();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o777)).unwrap();
    let endpoint = start(&data).unwrap();
    let client = client_of(&endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    client.put_channel("cam", &ChannelConfig::new("")).unwrap();
    drop(endpoint);
    assert_eq!(open_to_others(&data), [""; 0]);
    run(&data, &["chmod", "-R", "go+rwX", "."]);
    visit(&data);
    assert_eq!(open_to_others(&data), [""; 0]);
    // Links that others may have created there meanwhile are not followed.
    let home = folder.path().join("home");
    let before = precious(&home);
    run(&data, &["chmod", "-R", "go+rwX", "."]);
    symlink(&home, data.join("live-demo/objects/cam")).unwrap();
    let why = start(&data).unwrap_err().to_string();
    assert!(why.contains("live-demo/objects/cam: it is a link"), "{why}");
    assert_eq!(content(&home), before);
}

#[test]
fn a_folder_that_is_deleted_while_in_use_is_not_created_again() {
    let folder = folder();
    let data = folder.path().join("data");
    let endpoint = start(&data).unwrap();
    let client = client_of(&endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    client.put_channel("before", &ChannelConfig::new("")).unwrap();
    fs::remove_dir_all(&data).unwrap();
    let error = client.put_channel("after", &ChannelConfig::new("")).unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(500), Some("InternalError")));
    endpoint.stop();
    assert!(!data.exists());
}

#[test]
fn the_next_start_deletes_temporary_folders_of_killed_processes_and_no_others() {
    let endpoint = osslive_local::LocalEndpoint::start(Config::temporary()).unwrap();
    let parent = endpoint.data().parent().unwrap();
    // Similar names that must be kept: a folder with files, a link, a folder in
    // use, and a folder chosen by the user with the name of a temporary one.
    let named = || tempfile::Builder::new().prefix("osslive-").tempdir_in(parent).unwrap();
    let (foreign, given, used, left) = (named(), named(), named(), named());
    let home = folder();
    let before = precious(home.path());
    precious(foreign.path());
    visit(given.path());
    visit(left.path());
    let text = fs::read_to_string(endpoint.data().join(".osslive")).unwrap();
    assert!(text.contains(r#""is_temporary":true"#), "{text}");
    let _used = start(used.path()).unwrap();
    replace_marker(used.path(), &text);
    symlink(home.path(), left.path().join("live-demo/objects/link")).unwrap();
    replace_marker(left.path(), &text);
    let link = parent.join(format!("osslive-link-{}", left.path().display()).replace('/', "_"));
    symlink(given.path(), &link).unwrap();
    let others = [foreign.path(), given.path(), endpoint.data(), &link].map(content);
    osslive_local::LocalEndpoint::start(Config::temporary()).unwrap().stop();
    assert_eq!([foreign.path(), given.path(), endpoint.data(), &link].map(content), others);
    assert!(used.path().join("live-demo").exists(), "a folder in use was deleted");
    assert!(!left.path().exists(), "a leftover was not deleted");
    assert_eq!(content(home.path()), before);
    fs::remove_file(link).unwrap();
}
