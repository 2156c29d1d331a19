//! The initial state of an endpoint, read from a file.

use crate::api;
use crate::auth::AccessKey;
use crate::fault::Fault;
use crate::store::{Acl, BucketContents, ChannelSettings, Contents, ObjectContents, Source};
use crate::validate;
use osslive::operation::put_channel;
use osslive::{ChannelConfig, ChannelState};
use serde::Deserialize;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The initial state of an endpoint: buckets, channels, objects and access keys. A
/// reset restores it. See [`Config::initial`](crate::Config::initial).
///
/// In JSON only names and keys are required:
///
/// ```
/// let state = osslive_local::InitialState::parse(
///     r#"{
///       "buckets": [{
///         "name": "live-demo",
///         "acl": "public-read",
///         "channels": [
///           {"id": "main-stage", "description": "Main stage"},
///           {"id": "backstage", "status": "disabled", "fragDuration": 2, "fragCount": 5,
///            "playlistName": "live.m3u8"}
///         ],
///         "objects": [
///           {"key": "notes.txt", "text": "hello", "contentType": "text/plain"}
///         ]
///       }],
///       "keys": [
///         {"accessKeyId": "an-id", "accessKeySecret": "a-secret", "securityToken": "a-token"}
///       ]
///     }"#,
/// )?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// An object has either `text`, or `file`, the path of a file. A key without a
/// `securityToken` is permanent.
#[derive(Debug, Clone, Default)]
pub struct InitialState {
    buckets: Vec<BucketContents>,
    keys: Vec<AccessKey>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Description {
    buckets: Vec<Bucket>,
    keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Key {
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bucket {
    name: String,
    acl: Option<Acl>,
    #[serde(default)]
    channels: Vec<Channel>,
    #[serde(default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Channel {
    id: String,
    description: Option<String>,
    status: Option<String>,
    frag_duration: Option<u32>,
    frag_count: Option<u32>,
    playlist_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object {
    key: String,
    content_type: Option<String>,
    text: Option<String>,
    file: Option<PathBuf>,
}

impl InitialState {
    /// Reads the state from a JSON file. Paths are relative to its folder.
    ///
    /// # Errors
    ///
    /// The file or an object's file cannot be read, or the same errors as
    /// [`parse`](Self::parse). The error names the file.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(named)?;
        // Some Windows editors begin files with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        InitialState::of(text, path.parent().unwrap_or(Path::new(""))).map_err(named)
    }

    /// Parses the state from JSON. Paths are relative to the working directory.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`], naming the invalid field.
    pub fn parse(text: &str) -> io::Result<Self> {
        InitialState::of(text, Path::new(""))
    }

    fn of(text: &str, folder: &Path) -> io::Result<Self> {
        // serde would accept an array as the fields in their order.
        if text.trim_start().starts_with('[') {
            return Err(wrong("must be an object, not an array".to_owned()));
        }
        let described: Description =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let mut names = HashSet::new();
        for Bucket { name, .. } in &described.buckets {
            if !names.insert(name.as_str()) {
                return Err(wrong(format!("bucket {name:?} occurs twice")));
            }
        }
        let buckets = described.buckets.into_iter().map(|bucket| bucket.read(folder));
        let keys = described.keys.into_iter().map(|key| AccessKey {
            id: key.access_key_id,
            secret: key.access_key_secret,
            token: key.security_token,
        });
        Ok(InitialState { buckets: buckets.collect::<io::Result<_>>()?, keys: keys.collect() })
    }

    /// Returns the access keys.
    pub(crate) fn keys(&self) -> &[AccessKey] {
        &self.keys
    }

    /// Returns the names of the buckets, in order.
    pub(crate) fn bucket_names(&self) -> impl Iterator<Item = &str> {
        self.buckets.iter().map(|bucket| bucket.name.as_str())
    }

    /// Returns the initial contents of a store with `buckets` in addition to those
    /// described. A bucket has `acl` unless its description sets another.
    ///
    /// # Errors
    ///
    /// A name or an ACL is not allowed.
    pub(crate) fn contents(
        &self,
        buckets: &[String],
        acl: Option<Acl>,
        is_blocked: bool,
    ) -> io::Result<Contents> {
        let mut all = self.buckets.clone();
        for name in buckets {
            if !all.iter().any(|bucket| bucket.name == *name) {
                all.push(BucketContents::empty(name));
            }
        }
        for bucket in &mut all {
            let refused = |fault| refused("bucket", &bucket.name, &fault);
            validate::check_bucket(&bucket.name).map_err(refused)?;
            bucket.acl = bucket.acl.or(acl);
            bucket.is_blocked = is_blocked;
            api::check_acl(bucket.acl.unwrap_or_default(), is_blocked).map_err(refused)?;
        }
        Ok(Contents { buckets: all })
    }
}

impl Bucket {
    fn read(self, folder: &Path) -> io::Result<BucketContents> {
        let Bucket { name, acl, channels, objects } = self;
        validate::check_bucket(&name).map_err(|fault| refused("bucket", &name, &fault))?;
        let objects = objects.into_iter().map(|object| object.read(folder));
        Ok(BucketContents {
            acl,
            channels: channels.into_iter().map(Channel::read).collect::<io::Result<_>>()?,
            objects: objects.collect::<io::Result<_>>()?,
            ..BucketContents::empty(&name)
        })
    }
}

impl Channel {
    /// Validates it as PutLiveChannel does, with the same errors.
    fn read(self) -> io::Result<(String, ChannelSettings)> {
        let id = &self.id;
        let described = |what: &dyn std::fmt::Display| wrong(format!("channel {id:?}: {what}"));
        let mut config = ChannelConfig::new(self.description.unwrap_or_default());
        if let Some(status) = &self.status {
            let state = status.parse::<ChannelState>();
            config = config.state(state.map_err(|error| described(&error.message()))?);
        }
        if let Some(seconds) = self.frag_duration {
            config = config.frag_duration(seconds);
        }
        if let Some(count) = self.frag_count {
            config = config.frag_count(count);
        }
        if let Some(name) = self.playlist_name {
            config = config.playlist_name(name);
        }
        let call = put_channel(id, &config);
        let call = call.map_err(|error| described(&error.message()))?;
        validate::check_channel(id).map_err(|fault| described(&fault.message))?;
        let body = call.into_request().body.map(|body| body.bytes).unwrap_or_default();
        let settings = api::parse_settings(&body);
        Ok((id.clone(), settings.map_err(|fault| described(&fault.message))?))
    }
}

impl Object {
    fn read(self, folder: &Path) -> io::Result<ObjectContents> {
        let Object { key, content_type, text, file } = self;
        validate::check_object(&key).map_err(|fault| refused("object", &key, &fault))?;
        let source = match (text, file) {
            (Some(text), None) => Source::Text(text),
            (None, Some(file)) => {
                let path = folder.join(file);
                // A missing file is reported now rather than at a reset.
                fs::File::open(&path).map_err(|error| {
                    let kind = error.kind();
                    io::Error::new(kind, format!("object {key:?}: {}: {error}", path.display()))
                })?;
                Source::File(path)
            }
            _ => return Err(wrong(format!("object {key:?}: must have either text or file"))),
        };
        Ok(ObjectContents { key, content_type, source })
    }
}

fn refused(what: &str, name: &str, fault: &Fault) -> io::Error {
    wrong(format!("{what} {name:?}: {}", fault.message))
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
