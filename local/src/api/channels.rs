//! Live channels: configuration, status, history, listing.

use super::call::Call;
use super::operation::invalid_argument;
use super::service::Service;
use crate::fault::Fault;
use crate::http::Response;
use crate::store::{Channel, ChannelSettings, Snapshot, Stat};
use crate::xml::{self, Writer};
use crate::{time_format, validate};
use osslive::xml::Element;

/// The longest description, in bytes.
const MAX_DESCRIPTION: usize = 128;
/// The longest prefix or marker of a listing, in bytes.
const MAX_PREFIX: usize = 1024;

impl Service {
    pub(super) fn put_channel(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_channel(&call.key)?;
        let settings = parse_settings(&call.request.body)?;
        let playlist = settings.playlist_name.clone();
        self.site.store.put_channel(&call.bucket, &call.key, settings)?;
        let document = Writer::document("CreateLiveChannelResult", |xml| {
            self.urls(xml, call, &call.key, &playlist);
        });
        Ok(Response::xml(document))
    }

    pub(super) fn put_channel_status(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_channel(&call.key)?;
        let enabled = match call.param("status") {
            "enabled" => true,
            "disabled" => false,
            other => return Err(invalid_argument("status", other, "must be enabled or disabled")),
        };
        self.site.store.set_channel_enabled(&call.bucket, &call.key, enabled)?;
        Ok(Response::empty(200))
    }

    pub(super) fn delete_channel(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_channel(&call.key)?;
        self.site.store.delete_channel(&call.bucket, &call.key)?;
        Ok(Response::empty(204))
    }

    pub(super) fn channel_info(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_channel(&call.key)?;
        let settings = self.site.store.channel(&call.bucket, &call.key)?.settings;
        let document = Writer::document("LiveChannelConfiguration", |xml| {
            xml.text("Description", &settings.description);
            xml.text("Status", status(&settings));
            xml.element("Target", |xml| {
                xml.text("Type", "HLS");
                xml.text("FragDuration", settings.frag_duration);
                xml.text("FragCount", settings.frag_count);
                xml.text("PlaylistName", &settings.playlist_name);
            });
        });
        Ok(Response::xml(document))
    }

    pub(super) fn channel_stat(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_channel(&call.key)?;
        let stat = self.site.store.stat(&call.bucket, &call.key)?;
        let document = Writer::document("LiveChannelStat", |xml| match stat {
            Stat::Disabled => xml.text("Status", "Disabled"),
            Stat::Idle => xml.text("Status", "Idle"),
            Stat::Live { connected, remote, stream } => {
                xml.text("Status", "Live");
                xml.text("ConnectedTime", time_format::iso_8601(connected));
                xml.text("RemoteAddr", remote);
                if let Some(video) = stream.video {
                    xml.element("Video", |xml| {
                        xml.text("Width", video.width);
                        xml.text("Height", video.height);
                        xml.text("FrameRate", video.frame_rate);
                        xml.text("Bandwidth", video.bandwidth);
                        xml.text("Codec", video.codec.name());
                    });
                }
                if let Some(audio) = stream.audio {
                    xml.element("Audio", |xml| {
                        xml.text("Bandwidth", audio.bandwidth);
                        xml.text("SampleRate", audio.sample_rate);
                        xml.text("Codec", audio.codec.name());
                    });
                }
            }
        });
        Ok(Response::xml(document))
    }

    pub(super) fn channel_history(&self, call: &Call<'_>) -> Result<Response, Fault> {
        validate::check_channel(&call.key)?;
        let records = self.site.store.history(&call.bucket, &call.key)?;
        let document = Writer::document("LiveChannelHistory", |xml| {
            for record in &records {
                xml.element("LiveRecord", |xml| {
                    xml.text("StartTime", time_format::iso_8601(record.start));
                    xml.text("EndTime", time_format::iso_8601(record.end));
                    xml.text("RemoteAddr", record.remote);
                });
            }
        });
        Ok(Response::xml(document))
    }

    pub(super) fn list_channels(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let prefix = list_bound(call, "prefix")?;
        let marker = list_bound(call, "marker")?;
        let max = call
            .max_entries("max-keys")
            .map_err(|fault| Fault { ec: ec_of_list("max-keys"), ..fault })?;
        let page = self.site.store.list_channels(&call.bucket, prefix, marker, max)?;
        let document = Writer::document("ListLiveChannelResult", |xml| {
            xml.text("Prefix", prefix);
            xml.text("Marker", marker);
            xml.text("MaxKeys", max);
            xml.text("IsTruncated", page.next_marker.is_some());
            if let Some(next) = &page.next_marker {
                xml.text("NextMarker", next);
            }
            for Channel { name, settings, last_modified } in &page.channels {
                xml.element("LiveChannel", |xml| {
                    xml.text("Name", name);
                    xml.text("Description", &settings.description);
                    xml.text("Status", status(settings));
                    xml.text("LastModified", time_format::iso_8601(*last_modified));
                    self.urls(xml, call, name, &settings.playlist_name);
                });
            }
        });
        Ok(Response::xml(document))
    }

    fn urls(&self, xml: &mut Writer, call: &Call<'_>, channel: &str, playlist: &str) {
        let (addressing, host) = (&self.site.addressing, &call.request.host);
        let publish = addressing.publish_url(host, &call.bucket, channel);
        let play = addressing.play_url(host, &call.bucket, channel, playlist);
        xml.element("PublishUrls", |xml| xml.text("Url", publish));
        xml.element("PlayUrls", |xml| xml.text("Url", play));
    }
}

/// Returns the EC for an invalid parameter of ListLiveChannel.
pub(super) fn ec_of_list(param: &str) -> Option<&'static str> {
    match param {
        "max-keys" => Some("0044-00000101"),
        "prefix" => Some("0044-00000102"),
        "marker" => Some("0044-00000103"),
        _ => None,
    }
}

/// Returns a prefix or marker, which the response repeats.
fn list_bound<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a str, Fault> {
    let value = call.param(name);
    let rule = match value {
        _ if value.len() > MAX_PREFIX => "must have at most 1024 bytes",
        _ if !validate::fits_xml(value) => "must not contain control characters that XML forbids",
        _ => return Ok(value),
    };
    Err(Fault { ec: ec_of_list(name), ..invalid_argument(name, value, rule) })
}

fn status(settings: &ChannelSettings) -> &'static str {
    if settings.enabled { "enabled" } else { "disabled" }
}

/// Parses a `LiveChannelConfiguration`. Unknown elements, including those in
/// another case, are ignored, as by the service.
///
/// # Errors
///
/// 400 `MalformedXML`; 400 `InvalidArgument` with the EC that OSS documents
/// for each field.
pub fn parse_settings(body: &[u8]) -> Result<ChannelSettings, Fault> {
    let source = xml::check(body)?;
    let document = xml::parse(&source, "LiveChannelConfiguration")?;
    let root = document.root();

    let description = xml::child_text(root, "Description").unwrap_or_default();
    if description.len() > MAX_DESCRIPTION {
        let fault = invalid_argument("Description", &description, "must be at most 128 bytes");
        return Err(fault.with_ec("0044-00000001"));
    }
    if !validate::fits_xml(&description) {
        const RULE: &str = "must not contain control characters that XML forbids";
        return Err(invalid_argument("Description", &description, RULE));
    }
    let enabled = match xml::child_text(root, "Status").as_deref() {
        None | Some("enabled") => true,
        Some("disabled") => false,
        Some(other) => {
            let fault = invalid_argument("Status", other, "must be enabled or disabled");
            return Err(fault.with_ec("0044-00000002"));
        }
    };
    let snapshot = parse_snapshot(root)?;
    let mut targets = xml::children(root, "Target");
    let (Some(target), None) = (targets.next(), targets.next()) else {
        return Err(xml::malformed());
    };
    let kind = xml::child_text(target, "Type").unwrap_or_default();
    if kind != "HLS" {
        return Err(invalid_argument("Type", &kind, "must be HLS").with_ec("0044-00000013"));
    }
    let (frag_duration, frag_count) = parse_fragments(target)?;
    let playlist_name = xml::child_text(target, "PlaylistName")
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| String::from("playlist.m3u8"));
    validate::check_playlist(&playlist_name)?;
    Ok(ChannelSettings { description, enabled, frag_duration, frag_count, playlist_name, snapshot })
}

/// Parses the two fragment settings. OSS documents that they must be set
/// together: setting only one does not give the other its default. The service's
/// response is not documented; refusing it here reveals the mistake early.
fn parse_fragments(target: Element<'_, '_>) -> Result<(u32, u32), Fault> {
    let duration = xml::child_text(target, "FragDuration");
    let count = xml::child_text(target, "FragCount");
    if (&duration, &count) == (&None, &None) {
        return Ok((5, 3));
    }
    let setting = |name, text: Option<String>, ec| {
        let rule = match text {
            None => "must be set: FragDuration and FragCount are required together",
            Some(_) => "must be an integer from 1 to 100",
        };
        let text = text.unwrap_or_default();
        one_to_hundred(&text).ok_or_else(|| invalid_argument(name, &text, rule).with_ec(ec))
    };
    Ok((
        setting("FragDuration", duration, "0044-00000014")?,
        setting("FragCount", count, "0044-00000015")?,
    ))
}

fn parse_snapshot(root: Element<'_, '_>) -> Result<Option<Snapshot>, Fault> {
    let mut snapshots = xml::children(root, "Snapshot");
    let Some(node) = snapshots.next() else { return Ok(None) };
    if snapshots.next().is_some() {
        return Err(
            invalid_argument("Snapshot", "", "must occur at most once").with_ec("0044-00000003")
        );
    }
    let field = |name, is_valid: fn(&str) -> bool, rule, ec| {
        let text = xml::child_text(node, name).unwrap_or_default();
        if is_valid(&text) {
            Ok(text)
        } else {
            Err(invalid_argument(name, &text, rule).with_ec(ec))
        }
    };
    let not_empty = |text: &str| !text.is_empty();
    let interval = field(
        "Interval",
        |text| one_to_hundred(text).is_some(),
        "must be an integer from 1 to 100",
        "0044-00000005",
    )?;
    Ok(Some(Snapshot {
        notify_topic: field("NotifyTopic", not_empty, "must not be empty", "0044-00000006")?,
        role_name: field("RoleName", not_empty, "must not be empty", "0044-00000007")?,
        dest_bucket: field("DestBucket", validate::is_bucket, "must be a bucket", "0044-00000008")?,
        interval: one_to_hundred(&interval).unwrap_or_default(),
    }))
}

fn one_to_hundred(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits?.parse().ok().filter(|number| (1..=100).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(inner: &str) -> Result<ChannelSettings, Fault> {
        let body = format!("<LiveChannelConfiguration>{inner}</LiveChannelConfiguration>");
        parse_settings(body.as_bytes())
    }

    const TARGET: &str = "<Target><Type>HLS</Type></Target>";

    #[test]
    fn absent_settings_have_the_documented_defaults() {
        let settings = parse(TARGET).unwrap();
        assert_eq!(settings.description, "");
        assert!(settings.enabled);
        assert_eq!((settings.frag_duration, settings.frag_count), (5, 3));
        assert_eq!(settings.playlist_name, "playlist.m3u8");
        assert!(settings.snapshot.is_none());
    }

    #[test]
    fn a_complete_configuration_is_parsed_in_any_order() {
        let settings = parse(
            "<Snapshot><Interval> 5 </Interval><RoleName>r</RoleName><NotifyTopic>t</NotifyTopic>\
             <DestBucket>dest</DestBucket></Snapshot><Target><PlaylistName>p.m3u8</PlaylistName>\
             <FragCount>100</FragCount><FragDuration>1</FragDuration><Type>HLS</Type></Target>\
             <Status>disabled</Status><Description>a &amp; <![CDATA[<b>]]></Description>",
        )
        .unwrap();
        assert_eq!(settings.description, "a & <b>");
        assert!(!settings.enabled);
        assert_eq!((settings.frag_duration, settings.frag_count), (1, 100));
        assert_eq!(settings.playlist_name, "p.m3u8");
        let snapshot = settings.snapshot.unwrap();
        assert_eq!(snapshot.role_name, "r");
        assert_eq!(snapshot.dest_bucket, "dest");
        assert_eq!(snapshot.notify_topic, "t");
        assert_eq!(snapshot.interval, 5);
    }

    #[test]
    fn unknown_elements_are_ignored_and_an_empty_playlist_name_means_the_default() {
        let settings = parse(
            "<Unknown/><Target><Type>HLS</Type><PlayListName>x.m3u8</PlayListName>\
             <PlaylistName></PlaylistName></Target>",
        );
        assert_eq!(settings.unwrap().playlist_name, "playlist.m3u8");
    }

    #[test]
    fn each_invalid_setting_has_its_code_and_ec() {
        let target = |inner: &str| format!("<Target><Type>HLS</Type>{inner}</Target>");
        let snapshot = |inner: &str| {
            let all = "<RoleName>r</RoleName><DestBucket>dest</DestBucket>\
                       <NotifyTopic>t</NotifyTopic><Interval>5</Interval>";
            let name = &inner[..inner.find('>').unwrap_or_default()];
            // The first of two elements is used.
            format!(
                "{TARGET}<Snapshot>{}{all}</Snapshot>",
                if name.is_empty() { "" } else { inner }
            )
        };
        assert!(parse(&snapshot("")).is_ok());
        let long = "é".repeat(64) + "x";
        for (inner, ec) in [
            (format!("<Description>{long}</Description>{TARGET}"), "0044-00000001"),
            (format!("<Status>Enabled</Status>{TARGET}"), "0044-00000002"),
            (format!("<Status/>{TARGET}"), "0044-00000002"),
            (format!("{TARGET}<Snapshot/><Snapshot/>"), "0044-00000003"),
            (format!("{TARGET}<Snapshot/>"), "0044-00000005"),
            (snapshot("<Interval>0</Interval>"), "0044-00000005"),
            (snapshot("<Interval>101</Interval>"), "0044-00000005"),
            (snapshot("<NotifyTopic/>"), "0044-00000006"),
            (snapshot("<RoleName></RoleName>"), "0044-00000007"),
            (snapshot("<DestBucket>Bad</DestBucket>"), "0044-00000008"),
            ("<Target></Target>".to_owned(), "0044-00000013"),
            ("<Target><Type>hls</Type></Target>".to_owned(), "0044-00000013"),
            ("<Target><Type>RTMP</Type></Target>".to_owned(), "0044-00000013"),
            (target("<FragDuration>0</FragDuration><FragCount>3</FragCount>"), "0044-00000014"),
            (target("<FragDuration>101</FragDuration><FragCount>3</FragCount>"), "0044-00000014"),
            (target("<FragDuration>-1</FragDuration><FragCount>3</FragCount>"), "0044-00000014"),
            (target("<FragDuration>5.0</FragDuration><FragCount>3</FragCount>"), "0044-00000014"),
            (target("<FragDuration></FragDuration><FragCount>3</FragCount>"), "0044-00000014"),
            (target("<FragCount>3</FragCount>"), "0044-00000014"),
            (target("<FragDuration>5</FragDuration><FragCount>0</FragCount>"), "0044-00000015"),
            (target("<FragDuration>5</FragDuration><FragCount>+3</FragCount>"), "0044-00000015"),
            (target("<FragDuration>5</FragDuration>"), "0044-00000015"),
            (target("<PlaylistName>a/b.m3u8</PlaylistName>"), "0044-00000016"),
            (target("<PlaylistName>.m3u8</PlaylistName>"), "0044-00000017"),
            (target("<PlaylistName>playlist</PlaylistName>"), "0044-00000018"),
        ] {
            let fault = parse(&inner).unwrap_err();
            assert_eq!((fault.status, fault.code), (400, "InvalidArgument"), "{inner}");
            assert_eq!(fault.ec, Some(ec), "{inner}");
        }
        let longest = "é".repeat(64);
        assert!(parse(&format!("<Description>{longest}</Description>{TARGET}")).is_ok());
    }

    #[test]
    fn anything_but_a_configuration_is_malformed() {
        for body in [
            "",
            "<LiveChannelConfiguration>",
            "<Other/>",
            "<LiveChannelConfiguration/>",
            "<!DOCTYPE a><LiveChannelConfiguration><Target><Type>HLS</Type></Target></LiveChannelConfiguration>",
        ] {
            assert_eq!(parse_settings(body.as_bytes()).unwrap_err().code, "MalformedXML", "{body}");
        }
        assert_eq!(parse(&format!("{TARGET}{TARGET}")).unwrap_err().code, "MalformedXML");
    }
}
