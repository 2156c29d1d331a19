//! The operations of the service, each as a [`Call`]: a request, and how to
//! parse the reply to it.
//!
//! Nothing here does I/O or reads a clock, so that it works with any HTTP
//! stack: sign the request with a [`Signer`](crate::sign::Signer), send it, and
//! give what came back as a [`Reply`] to [`Call::parse`].
//!
//! ```
//! use osslive::operation::{self, Reply};
//!
//! let call = operation::get_channel_status("main-stage")?;
//! assert_eq!(call.request().key, "main-stage");
//! let body = b"<LiveChannelStat><Status>Idle</Status></LiveChannelStat>";
//! let reply = Reply { status: 200, body: body.to_vec(), ..Reply::default() };
//! assert_eq!(call.parse(&reply)?.status.as_str(), "Idle");
//! # Ok::<(), osslive::Error>(())
//! ```

use crate::error::{Error, ErrorKind, Result, code};
use crate::model::{
    Audio, Channel, ChannelConfig, ChannelHistory, ChannelList, ChannelState, ChannelStatus,
    ChannelSummary, ChannelUrls, Done, ListChannels, ResponseInfo, RtmpUrlOptions, SessionRecord,
    Snapshot, StreamState, Video, VodPlaylist, VodTime,
};
use crate::request::{Method, Request};
use crate::sign::{rtmp, v1};
use crate::xml::{self, Document, Element, Writer};
use std::time::Duration;
use time::OffsetDateTime;

/// A call of the service that returns a `T`: the request, and the parser of the
/// reply.
#[derive(Debug, Clone)]
pub struct Call<T> {
    request: Request,
    parse: fn(&Request, &Reply) -> Result<T>,
}

impl<T> Call<T> {
    fn new(request: Request, parse: fn(&Request, &Reply) -> Result<T>) -> Self {
        Call { request, parse }
    }

    /// Returns the request.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the request, and gives up the parser.
    pub fn into_request(self) -> Request {
        self.request
    }

    /// Parses the reply to the request.
    ///
    /// # Errors
    ///
    /// What [`Reply::check`] returns, and
    /// [`ErrorKind::BadReply`](crate::ErrorKind::BadReply) when the body is not
    /// what the operation returns.
    pub fn parse(&self, reply: &Reply) -> Result<T> {
        (self.parse)(&self.request, reply)
    }
}

/// What came back for a request.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header `x-oss-request-id`.
    pub request_id: Option<String>,
    /// The header `x-oss-ec`.
    pub ec: Option<String>,
    /// How long the server wants to be left alone (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Whether the body ended only because the connection did: the server sent
    /// neither `Content-Length` nor chunks. Such a body may have been cut off,
    /// and counts only when it has an end of its own: XML that of its root
    /// element, a playlist `#EXT-X-ENDLIST`.
    pub ends_with_connection: bool,
    /// The time the call took.
    pub elapsed: Duration,
    /// How many requests were sent.
    pub attempts: u32,
}

impl Reply {
    fn info(&self) -> ResponseInfo {
        ResponseInfo {
            status: self.status,
            request_id: self.request_id.clone(),
            elapsed: self.elapsed,
            attempts: self.attempts,
        }
    }

    /// Adds to an error what is known about the reply it was found in.
    fn found(&self, error: Error) -> Error {
        error
            .with_status(self.status)
            .with_request_id(self.request_id.clone())
            .with_attempts(self.attempts)
    }

    /// Checks that the reply is a success.
    ///
    /// # Errors
    ///
    /// The error that the reply stands for: [`ErrorKind::Service`] with the
    /// service's words, or what can be told of an answer that is not the
    /// service's; [`ErrorKind::Connection`] for one that was cut off.
    pub fn check(&self) -> Result<()> {
        if self.ends_with_connection && !self.is_complete() {
            return Err(self.found(Error::new(
                ErrorKind::Connection,
                "the reply is cut off: it has no length, and its body no end",
            )));
        }
        match self.status {
            200..=299 => Ok(()),
            300..=399 => Err(self.found(Error::bad_reply(format!(
                "the answer is a redirect, which is not followed{}",
                self.begin()
            )))),
            _ => Err(self.service_error()),
        }
    }

    /// Whether the body shows by itself that nothing of it is missing.
    fn is_complete(&self) -> bool {
        let body = self.body.trim_ascii();
        let last_line = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        body.is_empty()
            || last_line.trim_ascii() == b"#EXT-X-ENDLIST"
            || Document::parse(body).is_ok()
    }

    fn service_error(&self) -> Error {
        let document = Document::parse(&self.body).ok();
        let root = document.as_ref().map(Document::root).filter(|root| root.name() == "Error");
        let error = match root {
            Some(root) => error_of(root, self),
            None => {
                let message = format!("the answer is an error without details{}", self.begin());
                Error::new(ErrorKind::Service, message).with_ec(self.ec.clone())
            }
        };
        let known = error.request_id().map(str::to_owned).or(self.request_id.clone());
        error
            .with_status(self.status)
            .with_request_id(known)
            .with_attempts(self.attempts)
            .with_retry_after(self.retry_after)
    }

    /// The first bytes of the body, to show to a person.
    fn begin(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(160)]);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() { String::new() } else { format!(": {text:?}") }
    }

    fn read<T>(&self, root: &str, read: impl FnOnce(Element<'_, '_>) -> Result<T>) -> Result<T> {
        self.check()?;
        let document = Document::parse(&self.body).map_err(|error| {
            let message = format!("{}{}", error.message(), self.begin());
            self.found(Error::bad_reply(message))
        })?;
        let found = document.root();
        if found.name() == "Error" {
            return Err(self.service_error());
        }
        if found.name() != root {
            let message = format!("the answer is <{}> where <{root}> was expected", found.name());
            return Err(self.found(Error::bad_reply(message)));
        }
        read(found).map_err(|error| self.found(error))
    }
}

/// An error document, in the reply that carried it.
fn error_of(root: Element<'_, '_>, reply: &Reply) -> Error {
    // A hostile server may send megabytes of message.
    let text = |element: Element<'_, '_>| element.value().chars().take(1024).collect::<String>();
    let (mut code, mut message, mut request_id) = (None, String::new(), None);
    let (mut ec, mut host_id, mut server_time) = (reply.ec.clone(), None, None);
    let mut endpoint = None;
    for child in root.children() {
        match child.name() {
            "Code" => code = Some(text(child)).filter(|code| !code.is_empty()),
            "Message" => message = text(child),
            "RequestId" => request_id = Some(text(child)),
            "HostId" => host_id = Some(text(child)),
            "EC" => ec = Some(text(child)),
            "ServerTime" => server_time = Some(text(child)),
            "Endpoint" => endpoint = Some(text(child)).filter(|host| !host.is_empty()),
            _ => {}
        }
    }
    let mut error = Error::new(ErrorKind::Service, message);
    if let Some(endpoint) = &endpoint {
        error = error.explained(&format!("the bucket's endpoint is {endpoint}"));
    }
    let error = error
        .with_endpoint(endpoint)
        .with_request_id(request_id.filter(|id| !id.is_empty()))
        .with_ec(ec)
        .with_host_id(host_id)
        .with_server_time(server_time);
    match code {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// The time that the service adds to `RequestTimeTooSkewed`.
pub(crate) fn server_time(error: &Error) -> Option<OffsetDateTime> {
    let skewed = error.code() == Some(code::REQUEST_TIME_TOO_SKEWED);
    error.server_time().filter(|_| skewed).and_then(xml::parse_time)
}

/// PutLiveChannel: creates a channel or replaces its configuration.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`], naming the field that is out of range.
pub fn put_channel(id: &str, config: &ChannelConfig) -> Result<Call<ChannelUrls>> {
    let request = channel_request(Method::Put, id)?;
    let description = config.description.as_ref().unwrap_or(&config.name);
    if description.len() > 128 {
        return Err(Error::invalid(format!(
            "the description has {} bytes; 128 is the most",
            description.len()
        )));
    }
    in_range("the fragment duration", config.frag_duration, 1, 100)?;
    in_range("the fragment count", config.frag_count, 1, 100)?;
    check_playlist_name(&config.playlist_name, 6, 128)?;
    if let Some(snapshot) = &config.snapshot {
        check_snapshot(snapshot)?;
    }
    check_text("description", description)?;
    let body = Writer::new().element("LiveChannelConfiguration", |xml| {
        let xml = xml
            .text("Description", description)
            .text("Status", config.state.as_str())
            .element("Target", |xml| {
                xml.text("Type", "HLS")
                    .text("FragDuration", &config.frag_duration.to_string())
                    .text("FragCount", &config.frag_count.to_string())
                    .text("PlaylistName", &config.playlist_name)
            });
        match &config.snapshot {
            Some(snapshot) => xml.element("Snapshot", |xml| write_snapshot(xml, snapshot)),
            None => xml,
        }
    });
    let request = request.flag("live").body("application/xml", body.finish().into_bytes());
    Ok(Call::new(request, parse_put_channel))
}

fn write_snapshot(xml: Writer, snapshot: &Snapshot) -> Writer {
    xml.text("RoleName", &snapshot.role_name)
        .text("DestBucket", &snapshot.dest_bucket)
        .text("NotifyTopic", &snapshot.notify_topic)
        .text("Interval", &snapshot.interval.to_string())
}

fn check_snapshot(snapshot: &Snapshot) -> Result<()> {
    for (what, text) in [
        ("role name", &snapshot.role_name),
        ("destination bucket", &snapshot.dest_bucket),
        ("notification topic", &snapshot.notify_topic),
    ] {
        if text.is_empty() || !xml::can_carry(text) {
            return Err(Error::invalid(format!("the snapshot's {what} is empty or no text")));
        }
    }
    in_range("the snapshot interval", snapshot.interval, 1, 100)
}

fn parse_put_channel(_: &Request, reply: &Reply) -> Result<ChannelUrls> {
    reply.read("CreateLiveChannelResult", |root| {
        let mut result =
            ChannelUrls { publish_urls: Vec::new(), play_urls: Vec::new(), res: reply.info() };
        for child in root.children() {
            match child.name() {
                "PublishUrls" => result.publish_urls = urls(child),
                "PlayUrls" => result.play_urls = urls(child),
                _ => {}
            }
        }
        Ok(result)
    })
}

fn urls(list: Element<'_, '_>) -> Vec<String> {
    list.children().filter(|child| child.name() == "Url").map(|url| url.string()).collect()
}

/// GetLiveChannelInfo: the configuration of a channel. The reply has no URLs
/// and no times; [`list_channels`] has them.
pub fn get_channel(id: &str) -> Result<Call<Channel>> {
    Ok(Call::new(channel_request(Method::Get, id)?.flag("live"), parse_get_channel))
}

fn parse_get_channel(request: &Request, reply: &Reply) -> Result<Channel> {
    reply.read("LiveChannelConfiguration", |root| {
        let mut channel = Channel {
            name: request.key.clone(),
            description: String::new(),
            status: ChannelState::Enabled,
            target_type: String::new(),
            frag_duration: 0,
            frag_count: 0,
            playlist_name: String::new(),
            create_time: None,
            last_modified: None,
            publish_urls: Vec::new(),
            play_urls: Vec::new(),
            res: reply.info(),
        };
        let mut has_status = false;
        for child in root.children() {
            match child.name() {
                "Description" => channel.description = child.string(),
                "Status" => {
                    channel.status = channel_state(child)?;
                    has_status = true;
                }
                "CreateTime" => channel.create_time = Some(child.time()?),
                "LastModified" => channel.last_modified = Some(child.time()?),
                "Target" => read_target(child, &mut channel)?,
                _ => {}
            }
        }
        if has_status { Ok(channel) } else { Err(missing("Status")) }
    })
}

fn read_target(target: Element<'_, '_>, channel: &mut Channel) -> Result<()> {
    for child in target.children() {
        match child.name() {
            "Type" => channel.target_type = child.string(),
            "FragDuration" => channel.frag_duration = child.number()?,
            "FragCount" => channel.frag_count = child.number()?,
            "PlaylistName" => channel.playlist_name = child.string(),
            _ => {}
        }
    }
    Ok(())
}

/// DeleteLiveChannel: deletes a channel, but none of its recordings.
pub fn delete_channel(id: &str) -> Result<Call<Done>> {
    Ok(Call::new(channel_request(Method::Delete, id)?.flag("live"), parse_done))
}

/// PutLiveChannelStatus: enables or disables a channel.
pub fn put_channel_status(id: &str, state: ChannelState) -> Result<Call<Done>> {
    let request = channel_request(Method::Put, id)?.flag("live").param("status", state.as_str());
    Ok(Call::new(request, parse_done))
}

/// PostVodPlaylist: writes a playlist of what was recorded in a time span
/// below the channel. `.m3u8` is added to a name without it.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`] when the name is none, the end does not
/// come after the start, or more than a day after it.
pub fn create_vod(id: &str, name: &str, time: &VodTime) -> Result<Call<Done>> {
    check_channel_name(id)?;
    let suffix = if name.ends_with(".m3u8") { "" } else { ".m3u8" };
    let name = format!("{name}{suffix}");
    check_playlist_name(&name, 6, 1023)?;
    let request = Request::new(Method::Post, format!("{id}/{name}"));
    Ok(Call::new(request.flag("vod").span(time)?, parse_done))
}

/// GetVodPlaylist: the playlist that [`create_vod`] would write.
///
/// # Errors
///
/// As [`create_vod`].
pub fn get_vod(id: &str, time: &VodTime) -> Result<Call<VodPlaylist>> {
    let request = channel_request(Method::Get, id)?.flag("vod").span(time)?;
    Ok(Call::new(request, parse_get_vod))
}

fn parse_get_vod(_: &Request, reply: &Reply) -> Result<VodPlaylist> {
    reply.check()?;
    match std::str::from_utf8(&reply.body) {
        Ok(text) if text.trim_start_matches('\u{feff}').starts_with("#EXTM3U") => {
            Ok(VodPlaylist { text: text.to_owned(), res: reply.info() })
        }
        _ if reply.body.trim_ascii_start().starts_with(b"<") => Err(reply.service_error()),
        _ => {
            let message = format!("the answer is not a playlist{}", reply.begin());
            Err(reply.found(Error::bad_reply(message)))
        }
    }
}

fn parse_done(_: &Request, reply: &Reply) -> Result<Done> {
    reply.check()?;
    let body = reply.body.trim_ascii();
    if body.is_empty() {
        return Ok(Done { res: reply.info() });
    }
    // The service answers with an empty body. Something in between may not:
    // an error in the clothes of a success, or a sign-in page.
    match Document::parse(body).as_ref().map(Document::root) {
        Ok(root) if root.name() == "Error" => Err(reply.service_error()),
        Ok(root) if !root.name().eq_ignore_ascii_case("html") => Ok(Done { res: reply.info() }),
        _ => {
            let message = format!("the answer is not empty, as was expected{}", reply.begin());
            Err(reply.found(Error::bad_reply(message)))
        }
    }
}

/// ListLiveChannel: a page of the bucket's channels.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`] when `max_keys` is not 1 to 1000, or prefix
/// or marker have characters that no name has.
pub fn list_channels(query: &ListChannels) -> Result<Call<ChannelList>> {
    let mut request = Request::new(Method::Get, "").flag("live");
    check_text("prefix", &query.prefix)?;
    check_text("marker", &query.marker)?;
    // A parameter without a value means the same as none.
    if !query.prefix.is_empty() {
        request = request.param("prefix", &query.prefix);
    }
    if !query.marker.is_empty() {
        request = request.param("marker", &query.marker);
    }
    if let Some(count) = query.max_keys {
        in_range("max_keys", count, 1, 1000)?;
        request = request.param("max-keys", count.to_string());
    }
    Ok(Call::new(request, parse_list_channels))
}

fn parse_list_channels(_: &Request, reply: &Reply) -> Result<ChannelList> {
    reply.read("ListLiveChannelResult", |root| {
        let mut channels = Vec::new();
        let (mut is_truncated, mut next_marker) = (None, None);
        for child in root.children() {
            match child.name() {
                "LiveChannel" => channels.push(summary(child)?),
                "IsTruncated" => is_truncated = Some(child.boolean()?),
                "NextMarker" => next_marker = Some(child.string()).filter(|m| !m.is_empty()),
                _ => {}
            }
        }
        let is_truncated = is_truncated.ok_or_else(|| missing("IsTruncated"))?;
        if is_truncated && next_marker.is_none() {
            return Err(missing("NextMarker"));
        }
        Ok(ChannelList { channels, is_truncated, next_marker, res: reply.info() })
    })
}

fn summary(element: Element<'_, '_>) -> Result<ChannelSummary> {
    let (mut name, mut description, mut status) = (None, String::new(), None);
    let (mut last_modified, mut publish_urls, mut play_urls) = (None, Vec::new(), Vec::new());
    for child in element.children() {
        match child.name() {
            "Name" => name = Some(child.string()),
            "Description" => description = child.string(),
            "Status" => status = Some(channel_state(child)?),
            "LastModified" => last_modified = Some(child.time()?),
            "PublishUrls" => publish_urls = urls(child),
            "PlayUrls" => play_urls = urls(child),
            _ => {}
        }
    }
    Ok(ChannelSummary {
        name: name.ok_or_else(|| missing("Name"))?,
        description,
        status: status.ok_or_else(|| missing("Status"))?,
        last_modified: last_modified.ok_or_else(|| missing("LastModified"))?,
        publish_urls,
        play_urls,
    })
}

/// GetLiveChannelStat: what a channel is doing.
pub fn get_channel_status(id: &str) -> Result<Call<ChannelStatus>> {
    let request = channel_request(Method::Get, id)?.flag("live").param("comp", "stat");
    Ok(Call::new(request, parse_get_channel_status))
}

fn parse_get_channel_status(_: &Request, reply: &Reply) -> Result<ChannelStatus> {
    reply.read("LiveChannelStat", |root| {
        let (mut status, mut connected_time, mut remote_addr) = (None, None, None);
        let (mut picture, mut sound) = (None, None);
        for child in root.children() {
            match child.name() {
                "Status" => status = Some(child.value().parse::<StreamState>()?),
                "ConnectedTime" => connected_time = Some(child.time()?),
                "RemoteAddr" => remote_addr = Some(child.string()),
                "Video" => picture = Some(video(child)?),
                "Audio" => sound = Some(audio(child)?),
                _ => {}
            }
        }
        Ok(ChannelStatus {
            status: status.ok_or_else(|| missing("Status"))?,
            connected_time,
            remote_addr,
            video: picture,
            audio: sound,
            res: reply.info(),
        })
    })
}

fn video(element: Element<'_, '_>) -> Result<Video> {
    let mut video =
        Video { width: 0, height: 0, frame_rate: 0, bandwidth: 0, codec: String::new() };
    for child in element.children() {
        match child.name() {
            "Width" => video.width = child.number()?,
            "Height" => video.height = child.number()?,
            "FrameRate" => video.frame_rate = child.number()?,
            "Bandwidth" => video.bandwidth = child.number()?,
            "Codec" => video.codec = child.string(),
            _ => {}
        }
    }
    Ok(video)
}

fn audio(element: Element<'_, '_>) -> Result<Audio> {
    let mut audio = Audio { bandwidth: 0, sample_rate: 0, codec: String::new() };
    for child in element.children() {
        match child.name() {
            "Bandwidth" => audio.bandwidth = child.number()?,
            "SampleRate" => audio.sample_rate = child.number()?,
            "Codec" => audio.codec = child.string(),
            _ => {}
        }
    }
    Ok(audio)
}

/// GetLiveChannelHistory: the last sessions of a channel.
pub fn get_channel_history(id: &str) -> Result<Call<ChannelHistory>> {
    let request = channel_request(Method::Get, id)?.flag("live").param("comp", "history");
    Ok(Call::new(request, parse_get_channel_history))
}

fn parse_get_channel_history(_: &Request, reply: &Reply) -> Result<ChannelHistory> {
    reply.read("LiveChannelHistory", |root| {
        let records = root.children().filter(|child| child.name() == "LiveRecord").map(record);
        Ok(ChannelHistory { records: records.collect::<Result<_>>()?, res: reply.info() })
    })
}

fn record(element: Element<'_, '_>) -> Result<SessionRecord> {
    let (mut start, mut end, mut remote_addr) = (None, None, String::new());
    for child in element.children() {
        match child.name() {
            "StartTime" => start = Some(child.time()?),
            "EndTime" => end = Some(child.time()?),
            "RemoteAddr" => remote_addr = child.string(),
            _ => {}
        }
    }
    Ok(SessionRecord {
        start_time: start.ok_or_else(|| missing("StartTime"))?,
        end_time: end.ok_or_else(|| missing("EndTime"))?,
        remote_addr,
    })
}

/// A GET of a channel's playlist that also signs the fragments in it
/// (`x-oss-process=hls/sign`): what a play URL for a private bucket is made
/// of.
pub fn play(id: &str, playlist: &str) -> Result<Request> {
    check_channel_name(id)?;
    check_playlist_name(playlist, 6, 1023)?;
    let request = Request::new(Method::Get, format!("{id}/{playlist}"));
    Ok(request.param("x-oss-process", "hls/sign"))
}

/// Checks what a publish URL is asked for.
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`] for a time of 0, and for a parameter that
/// is reserved, stands twice, or could not be signed unambiguously.
pub fn check_rtmp_url(id: &str, options: &RtmpUrlOptions) -> Result<()> {
    check_channel_name(id)?;
    v1::check_key(id)?;
    if options.expires == 0 {
        return Err(Error::invalid("a URL that expires after 0 seconds is of no use"));
    }
    for (at, (name, value)) in options.params.iter().enumerate() {
        let fault = if name.is_empty() {
            "has no name"
        } else if rtmp::RESERVED.contains(&name.as_str()) {
            "is reserved for the signature"
        } else if options.params[..at].iter().any(|(earlier, _)| earlier == name) {
            "is given twice"
        } else if name.starts_with('/') || name.contains(|c: char| c == ':' || c.is_control()) {
            "cannot be signed: its name must not contain ':' or control characters, nor begin with '/'"
        } else if value.contains(char::is_control) || !xml::can_carry(value) {
            "cannot be signed: its value must not contain control characters"
        } else {
            continue;
        };
        return Err(Error::invalid(format!("the parameter {name:?} {fault}")));
    }
    Ok(())
}

/// Checks a channel's name for what is certain to be refused.
///
/// # Errors
///
/// Code [`InvalidChannelName`](code::INVALID_CHANNEL_NAME), as the service
/// would say.
pub fn check_channel_name(id: &str) -> Result<()> {
    let fault = if id.is_empty() {
        "the channel name is empty".to_owned()
    } else if id.contains('/') {
        "the channel name contains a slash".to_owned()
    } else if id.len() > 1023 {
        format!("the channel name has {} bytes; 1023 is the most", id.len())
    } else if matches!(id, "." | "..") {
        format!("channel name {id:?}: HTTP clients resolve \".\" and \"..\" in a path")
    } else if !xml::can_carry(id) {
        let shown: String = id.chars().take(80).collect();
        format!("channel name {shown:?}: must not contain characters that XML cannot carry")
    } else {
        return Ok(());
    };
    Err(Error::invalid(fault).with_code(code::INVALID_CHANNEL_NAME))
}

fn channel_request(method: Method, id: &str) -> Result<Request> {
    check_channel_name(id)?;
    Ok(Request::new(method, id))
}

fn check_playlist_name(name: &str, least: usize, most: usize) -> Result<()> {
    let fault = if !name.ends_with(".m3u8") {
        "does not end in .m3u8".to_owned()
    } else if name.contains('/') {
        "contains a slash".to_owned()
    } else if !(least..=most).contains(&name.len()) {
        format!("has {} bytes; {least} to {most} are allowed", name.len())
    } else if !xml::can_carry(name) {
        "has characters that XML cannot carry".to_owned()
    } else {
        return Ok(());
    };
    let shown: String = name.chars().take(80).collect();
    Err(Error::invalid(format!("the playlist name {shown:?} {fault}")))
}

fn check_text(what: &str, text: &str) -> Result<()> {
    if xml::can_carry(text) {
        return Ok(());
    }
    let shown: String = text.chars().take(80).collect();
    let message = format!("{what} {shown:?}: must not contain characters that XML cannot carry");
    Err(Error::invalid(message))
}

fn in_range(what: &str, value: u32, least: u32, most: u32) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("{what} is {value}; {least} to {most} is allowed")))
}

fn channel_state(element: Element<'_, '_>) -> Result<ChannelState> {
    let text = element.value();
    text.parse().map_err(|error: Error| Error::bad_reply(error.message()))
}

fn missing(element: &str) -> Error {
    Error::bad_reply(format!("the answer has no {element}"))
}

impl Request {
    fn span(self, time: &VodTime) -> Result<Request> {
        let VodTime { start, end } = *time;
        if start < 0 {
            return Err(Error::invalid(format!("the start time {start} lies before 1970")));
        }
        if end <= start {
            let message = format!("the end time {end} does not come after the start time {start}");
            return Err(Error::invalid(message));
        }
        if end - start > 86_400 {
            let hint = if end > 100_000_000_000 { "; are these milliseconds?" } else { "" };
            return Err(Error::invalid(format!(
                "the span from {start} to {end} is longer than a day (86400 seconds){hint}"
            )));
        }
        Ok(self.param("startTime", start.to_string()).param("endTime", end.to_string()))
    }
}
