//! The endpoint accepts only suitable data directories, and neither changes nor deletes
//! anything that it did not create.

mod support;

use osslive::ChannelConfig;
use osslive_local::{Config, LocalEndpoint};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use support::{client_of, folder, wait_until};

fn start(data: &Path) -> io::Result<LocalEndpoint> {
    LocalEndpoint::start(Config::new(data))
}

/// Starts and stops an endpoint.
fn visit(data: &Path) {
    start(data).unwrap().stop();
}

/// Returns why an endpoint does not start in a folder, which must not change.
fn refusal(data: &Path) -> String {
    let before = content(data);
    let refusal = start(data).expect_err("the folder was accepted").to_string();
    assert_eq!(content(data), before, "{refusal}");
    let named = format!("cannot use the data directory {}: ", data.display());
    assert!(refusal.starts_with(&named), "{refusal}");
    refusal[named.len()..].to_owned()
}

/// Returns everything at and below a path, without following links.
fn content(path: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let Ok(metadata) = fs::symlink_metadata(path) else { return found };
    let details = if metadata.is_file() {
        fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    } else if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            found.extend(content(&entry.unwrap().path()));
        }
        String::new()
    } else {
        format!("{:?}", fs::read_link(path))
    };
    found.insert(path.to_owned(), format!("{:?} {details}", metadata.permissions()));
    found
}

/// Creates a folder with files that must not be lost.
fn precious(folder: &Path) -> BTreeMap<PathBuf, String> {
    fs::create_dir_all(folder.join("photos/2026")).unwrap();
    fs::write(folder.join("photos/2026/cat.jpg"), "a cat").unwrap();
    fs::write(folder.join("part-0"), "the first part of a novel").unwrap();
    fs::write(folder.join("notes.ts"), "notes").unwrap();
    content(folder)
}

#[test]
fn new_and_empty_folders_are_accepted_and_recognized_later() {
    let folder = folder();
    let data = folder.path().join("new/data");
    visit(&data);
    visit(&data);
    let marker = data.join(".osslive");
    assert!(fs::metadata(&marker).unwrap().permissions().readonly());
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    visit(&empty);
    visit(&empty);
}

#[test]
fn the_path_of_the_folder_is_absolute() {
    let folder = folder();
    let data = folder.path().join("data");
    let endpoint = start(&folder.path().join("data/.")).unwrap();
    assert_eq!(endpoint.data(), data);
}

#[test]
fn a_folder_that_is_not_empty_is_refused() {
    let folder = folder();
    precious(folder.path());
    let why = refusal(folder.path());
    assert!(why.contains("not empty") && why.contains(".osslive"), "{why}");
    // With a scratch folder and a lock, as other programs may have.
    precious(&folder.path().join(".scratch"));
    fs::write(folder.path().join(".lock"), "").unwrap();
    let why = refusal(folder.path());
    assert!(why.contains("not empty") && why.contains("move their directories"), "{why}");
}

#[test]
fn a_folder_with_a_lock_file_of_another_program_is_refused() {
    let folder = folder();
    fs::write(folder.path().join(".lock"), "4711").unwrap();
    assert!(refusal(folder.path()).contains("not empty"));
}

#[test]
fn foreign_files_in_the_scratch_space_are_kept() {
    let folder = folder();
    let data = folder.path().join("data");
    visit(&data);
    let scratch = data.join(".scratch");
    for kept in ["part-x", "part-", "grave-0", "fragment-0", "README", "part-0/below"] {
        let path = scratch.join(kept);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "kept").unwrap();
    }
    // A retired bucket that contains more than a bucket does.
    fs::create_dir_all(scratch.join("grave-1/objects")).unwrap();
    fs::write(scratch.join("grave-1/thesis.tex"), "kept").unwrap();
    let before = content(&scratch);
    fs::write(scratch.join("part-1"), "left by a kill").unwrap();
    let left = scratch.join("fragment-0123456789ABCDEF0123456789ABCDEF");
    fs::write(left, "left by a kill").unwrap();
    fs::create_dir_all(scratch.join("grave-2/objects/cam")).unwrap();
    let endpoint = start(&data).unwrap();
    // Names in use are skipped, and their files are kept.
    let client = client_of(&endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    for name in ["a", "b", "c"] {
        client.put_channel(name, &ChannelConfig::new("")).unwrap();
        client.delete_channel(name).unwrap();
    }
    drop(endpoint);
    assert_eq!(content(&scratch), before);
}

#[test]
fn an_unsupported_or_damaged_marker_is_refused() {
    let folder = folder();
    for (content, words) in [
        (r#"{"format":2,"invented":[]}"#, "data directory format 2: must be 1"),
        (r#"{"format":1}"#, "damaged"),
        ("", "damaged"),
        ("\u{0}\u{7f}", "damaged"),
        (&"[".repeat(1 << 20), "damaged"),
    ] {
        let data = folder.path().join(content.len().to_string());
        visit(&data);
        replace_marker(&data, content);
        let why = refusal(&data);
        assert!(why.contains(".osslive") && why.contains(words), "{why}");
    }
}

fn replace_marker(data: &Path, content: &str) {
    let marker = data.join(".osslive");
    let permissions = fs::metadata(&marker).unwrap().permissions();
    fs::remove_file(&marker).unwrap();
    fs::write(&marker, content).unwrap();
    fs::set_permissions(&marker, permissions).unwrap();
}

#[test]
fn a_marker_that_is_a_folder_is_refused() {
    let folder = folder();
    let data = folder.path().join("data");
    fs::create_dir_all(data.join(".osslive/below")).unwrap();
    assert!(refusal(&data).contains(".osslive"));
}

#[test]
fn buckets_that_are_moved_to_a_new_folder_are_served() {
    let folder = folder();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let endpoint = start(&old).unwrap();
    let client = client_of(&endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    client.put_channel("kept", &ChannelConfig::new("")).unwrap();
    drop(endpoint);
    fs::remove_file(old.join(".osslive")).unwrap();
    assert!(refusal(&old).contains("move their directories to a new data directory"));
    LocalEndpoint::start(Config::new(&new).bucket("other-bucket")).unwrap().stop();
    fs::rename(old.join("live-demo"), new.join("live-demo")).unwrap();
    let endpoint = start(&new).unwrap();
    let client = client_of(&endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    client.get_channel("kept").unwrap();
}

#[test]
fn a_foreign_folder_with_a_buckets_name_does_not_become_a_bucket() {
    let folder = folder();
    let data = folder.path().join("data");
    visit(&data);
    let before = precious(&data.join("new-bucket"));
    let refusal = LocalEndpoint::start(Config::new(&data).bucket("new-bucket")).unwrap_err();
    assert!(refusal.to_string().contains("new-bucket"), "{refusal}");
    assert_eq!(content(&data.join("new-bucket")), before);
}

#[test]
fn temporary_folders_of_many_endpoints_are_distinct_and_deleted_with_them() {
    // The stacks of all threads must fit into a 32-bit address space.
    let many = if cfg!(target_pointer_width = "32") { 50 } else { 200 };
    let endpoints: Vec<_> = std::thread::scope(|scope| {
        let start = || LocalEndpoint::start(Config::temporary()).unwrap();
        let starting: Vec<_> = (0..many).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|starting| starting.join().unwrap()).collect()
    });
    let mut folders: Vec<_> = endpoints.iter().map(|endpoint| endpoint.data().to_owned()).collect();
    assert!(folders.iter().all(|folder| folder.is_dir()));
    drop(endpoints);
    // Another endpoint that starts may be deleting one of them at this moment.
    wait_until("the directories are deleted", || !folders.iter().any(|folder| folder.exists()));
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), many);
}

#[cfg(unix)]
#[path = "data_folder/unix.rs"]
mod unix;
