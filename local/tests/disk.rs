//! A data directory that is full, damaged or in use.

mod support;

use osslive::{ChannelConfig, RtmpUrlOptions, VodTime};
use osslive_local::push::{PushError, PushOptions, push_flv};
use osslive_local::{Acl, Config, LocalEndpoint};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::{CLIP, Playlist, client_of, folder};
use tempfile::TempDir;

/// A file system of a few megabytes, unmounted when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts one; prints the reason and returns `None` if that is not possible.
    fn mount() -> Option<SmallDisk> {
        let folder = folder();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "osslive-test"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(SmallDisk(folder)),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                eprintln!("skipped: a full disk: cannot mount a tmpfs: {why}");
                None
            }
            Err(error) => {
                eprintln!("skipped: a full disk: no mount command: {error}");
                None
            }
        }
    }

    /// Fills the disk except for `left` bytes.
    fn fill(&self, left: usize) {
        let mut file = File::create(self.filler()).unwrap();
        let block = [0; 4096];
        while file.write_all(&block).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left as u64)).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

fn start(data: &Path) -> LocalEndpoint {
    LocalEndpoint::start(Config::new(data).acl(Acl::PublicReadWrite)).unwrap()
}

/// Publishes this many minutes of media, or the clip once.
fn push(endpoint: &LocalEndpoint, minutes: Option<u64>) -> Result<(), PushError> {
    let client = client_of(endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    let url = client.get_rtmp_url("cam", &RtmpUrlOptions::new()).unwrap();
    let duration = minutes.map(|minutes| Duration::from_secs(60 * minutes));
    push_flv(&url, CLIP, PushOptions { duration, real_time: false }, &mut |_| true).map(|_| ())
}

/// Returns everything recorded so far, after checking each fragment.
fn recorded(endpoint: &LocalEndpoint, data: &Path) -> Vec<String> {
    let client = client_of(endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    let folder = data.join("live-demo/objects/cam");
    let live = Playlist::read(&fs::read_to_string(folder.join("playlist.m3u8")).unwrap());
    assert_eq!(live.violations(&folder), [""; 0], "the live playlist");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = now.as_secs() as i64;
    let text = client.get_vod("cam", &VodTime::new(now - 3600, now + 3600)).unwrap();
    let vod = Playlist::read(&text.text);
    assert_eq!(vod.violations(&folder), [""; 0], "the VOD playlist");
    let on_disk = fs::read_dir(&folder).unwrap().filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|e| e == "ts"))
    });
    assert_eq!(on_disk.count(), vod.names.len(), "fragments that no playlist lists");
    vod.names
}

#[test]
fn a_full_disk_is_reported_to_the_encoder_and_damages_nothing() {
    let Some(disk) = SmallDisk::mount() else { return };
    let data = disk.0.path().join("data");
    let endpoint = start(&data);
    let client = client_of(&endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    let config = ChannelConfig::new("").frag_duration(1).frag_count(3);
    client.put_channel("cam", &config).unwrap();

    // Full in the middle of a stream.
    let refusal = push(&endpoint, Some(60)).unwrap_err().to_string();
    assert!(refusal.contains("NetStream.Publish.Failed"), "{refusal}");
    assert!(refusal.contains("No space left on device"), "{refusal}");
    let before = recorded(&endpoint, &data);
    assert!(before.len() > 3, "{before:?}");

    // Full from the start: publishers are refused, and nothing changes.
    disk.fill(0);
    let refusal = push(&endpoint, Some(1)).unwrap_err().to_string();
    assert!(refusal.contains("No space left on device"), "{refusal}");
    let error = client.put_channel("other", &config).unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(500), Some("InternalError")));
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert_eq!(client.get_channel("cam").unwrap().frag_duration, 1);
    assert_eq!(recorded(&endpoint, &data), before);

    // With free space, everything continues, even after a restart.
    disk.free();
    for name in before.iter().take(before.len() / 2) {
        fs::remove_file(data.join("live-demo/objects/cam").join(name)).unwrap();
    }
    client.put_channel("other", &config).unwrap();
    push(&endpoint, None).unwrap();
    let after = recorded(&endpoint, &data);
    assert!(after.len() > before.len() - before.len() / 2, "{after:?}");
    let records = client.get_channel_history("cam").unwrap().records;
    drop(endpoint);
    let endpoint = start(&data);
    assert_eq!(recorded(&endpoint, &data), after);
    let client = client_of(&endpoint, Config::ACCESS_KEY_ID, Config::ACCESS_KEY_SECRET);
    assert_eq!(client.get_channel_history("cam").unwrap().records, records);
}

#[test]
fn only_one_endpoint_can_use_a_folder() {
    let folder = folder();
    let data = folder.path().join("data");
    let first = start(&data);
    let refusal = LocalEndpoint::start(Config::new(&data)).unwrap_err().to_string();
    let expected =
        format!("cannot use the data directory {}: another endpoint is using it", data.display());
    assert_eq!(refusal, expected);
    first.stop();
    start(&data);
}

#[test]
fn an_unusable_data_folder_is_an_error_with_its_path() {
    let folder = folder();
    let refusal = |data: &Path| LocalEndpoint::start(Config::new(data)).unwrap_err().to_string();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(
        refusal(&file),
        format!("cannot use the data directory {}: not a directory", file.display())
    );
    assert!(refusal(&file.join("below")).contains(&file.display().to_string()));

    let damaged = |path: &str, content: Option<&str>| {
        let data = folder.path().join(path.replace('/', "-"));
        drop(start(&data));
        let path = data.join(path);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => {
                fs::remove_dir_all(&path).unwrap();
                fs::write(&path, "").unwrap();
            }
        }
        // Windows accepts both separators and shows its own.
        (refusal(&data).replace('\\', "/"), path.display().to_string().replace('\\', "/"))
    };
    for (path, content) in [
        ("live-demo/bucket.json", Some("nonsense")),
        ("live-demo/channels/cam.json", Some("{}")),
        ("live-demo/channels", None),
    ] {
        let (refusal, path) = damaged(path, content);
        assert!(refusal.starts_with("cannot use the data directory"), "{refusal}");
        assert!(refusal.contains(&path), "{refusal}");
    }
}
