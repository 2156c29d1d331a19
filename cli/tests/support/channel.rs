//! A channel from the perspective of an operator and a viewer, with the SDK and a
//! player.

use std::path::Path;

use osslive::{
    ChannelConfig, ChannelStatus, Client, RtmpUrlOptions, SessionRecord, StreamState, VodTime,
};

use super::{LONG, Playlist, Ran, ffmpeg, get, players, run, unix_now, wait_until};

/// A channel of the endpoint that a client connects to.
pub struct Channel {
    client: Client,
    pub name: String,
}

impl Channel {
    /// A channel id, whether or not the channel exists.
    pub fn new(client: &Client, name: &str) -> Channel {
        Channel { client: client.clone(), name: name.to_string() }
    }

    /// Creates a channel: fragments of two seconds, three in the live playlist.
    pub fn create(client: &Client, name: &str) -> Channel {
        let config = ChannelConfig::new("").frag_duration(2).frag_count(3);
        client.put_channel(name, &config).expect("a new channel");
        Channel::new(client, name)
    }

    pub fn publish_url(&self) -> String {
        let options = RtmpUrlOptions::new().playlist_name("playlist.m3u8");
        self.client.get_rtmp_url(&self.name, &options).expect("a URL")
    }

    pub fn play_url(&self, playlist: &str) -> String {
        self.client.get_play_url(&self.name, playlist, 3600).expect("a URL")
    }

    pub fn status(&self) -> ChannelStatus {
        self.client.get_channel_status(&self.name).expect("a status")
    }

    /// Waits until the status reports this video (width, height and frames per
    /// second) and this audio (samples per second).
    pub fn wait_live(&self, video: Option<(u32, u32, u32)>, audio: Option<u32>) {
        wait_until(&format!("live with {video:?} and {audio:?}"), || {
            let status = self.status();
            let picture = status.video.as_ref().map(|v| (v.width, v.height, v.frame_rate));
            let sound = status.audio.as_ref().map(|a| a.sample_rate);
            let reached = status.status == StreamState::Live && picture == video && sound == audio;
            (reached, status)
        });
    }

    pub fn wait_idle(&self) {
        wait_until("no longer live", || {
            let status = self.status().status;
            (status != StreamState::Live, status)
        });
    }

    /// Waits until this many fragments are finished.
    pub fn wait_fragments(&self, count: usize) {
        wait_until(&format!("{count} fragments"), || {
            let (status, _) = get(&self.play_url("playlist.m3u8"));
            let finished = if status == 200 { self.vod().fragments.len() } else { 0 };
            (finished >= count, (status, finished))
        });
    }

    /// Returns the finished sessions, after checking their number.
    pub fn has_sessions(&self, count: usize) -> Vec<SessionRecord> {
        self.wait_idle();
        let records = self.client.get_channel_history(&self.name).expect("a history").records;
        assert_eq!(records.len(), count, "{records:?}");
        for record in &records {
            assert!(record.start_time <= record.end_time, "{record:?}");
            assert!(record.remote_addr.starts_with("127.0.0.1:"), "{record:?}");
        }
        records
    }

    /// Returns the playlist of everything recorded so far.
    pub fn vod(&self) -> Playlist {
        let time = VodTime::new(unix_now() - 3600, unix_now() + 3600);
        self.client.create_vod(&self.name, "all.m3u8", &time).expect("a playlist");
        let playlist = Playlist::fetch(&self.play_url("all.m3u8"));
        assert!(playlist.ended, "{}", playlist.text);
        playlist
    }

    /// Plays everything recorded so far with an old and a new decoder and a
    /// remuxer, none of which may print anything.
    pub fn plays_through(&self, folder: &Path) {
        self.plays_through_with(folder, false, "");
    }

    /// Like [`Channel::plays_through`], but allows lines with the words in `noted`.
    /// `uneven` pictures do not have a constant frame rate.
    pub fn plays_through_with(&self, folder: &Path, uneven: bool, noted: &str) {
        let silent = |mut ran: Ran, what: &str| {
            let is_noted = |line: &&str| !noted.is_empty() && line.contains(noted);
            let rest: Vec<&str> = ran.stderr.lines().filter(|line| !is_noted(line)).collect();
            // A few lines are enough.
            ran.stderr = rest.iter().take(5).map(|line| format!("{line}\n")).collect();
            ran.silent(what);
        };
        self.vod();
        let url = self.play_url("all.m3u8");
        for mut decode in players() {
            decode.args(["-xerror", "-i", &url]);
            if uneven {
                decode.args(["-fps_mode", "passthrough", "-enc_time_base", "1:90000"]);
            }
            decode.args(["-f", "null", "-"]);
            silent(run(&mut decode, LONG), &format!("the decoder {:?}", decode.get_program()));
        }
        let mut remux = ffmpeg();
        // Without -xerror, with which ffmpeg's remuxer rejects the first packets of
        // any audio without video, including its own HLS.
        remux.args(["-i", &url, "-c", "copy", "-y"]);
        remux.arg(folder.join(format!("{}.mp4", self.name)));
        silent(run(&mut remux, LONG), "the remuxer");
    }
}
