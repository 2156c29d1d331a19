//! The operations of the service, each as a [`Call`]: a request, and the parser of
//! its response.
//!
//! Nothing here does I/O or reads a clock, so it works with any HTTP client: sign
//! the request with a [`Signer`](crate::sign::Signer), send it, and pass the
//! response as a [`Reply`] to [`Call::parse`].
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

mod bucket_info;
mod call;
mod channel_history;
mod channel_state;
mod channel_status;
mod check;
mod delete_channel;
mod delete_objects;
mod done;
mod get_channel;
mod get_object;
mod list_channels;
mod list_objects;
mod play;
mod publish;
mod put_channel;
mod read;
mod reply;
mod vod;

pub(crate) use bucket_info::{BucketInfo, get_bucket_info};
pub use call::Call;
pub(crate) use call::{attempt, attempt_body};
pub use channel_history::{ChannelHistory, SessionRecord, get_channel_history};
pub use channel_state::{ChannelState, put_channel_status};
pub use channel_status::{Audio, ChannelStatus, Live, StreamState, Video, get_channel_status};
pub use check::check_channel_name;
pub use delete_channel::delete_channel;
pub use delete_objects::{MAX_DELETED, delete_objects};
pub use done::Done;
pub use get_channel::{Channel, get_channel};
pub use get_object::{GetObject, ObjectInfo, get_object};
pub use list_channels::{ChannelList, ChannelSummary, ListChannels, list_channels};
pub use list_objects::{ListObjects, ObjectList, ObjectSummary, list_objects};
pub use play::play;
pub use publish::{PublishUrl, RtmpUrlOptions, check_rtmp_url};
pub use put_channel::{ChannelConfig, ChannelUrls, Snapshot, put_channel};
pub(crate) use reply::server_time;
pub use reply::{Reply, ResponseInfo};
pub use vod::{VodPlaylist, VodTime, create_vod, get_vod};

#[cfg(test)]
mod tests {
    use super::reply::samples::ok;
    use super::*;
    use crate::error::{Error, ErrorKind, code};

    fn failed(status: u16, body: &str) -> Error {
        delete_channel("c").unwrap().parse(&Reply { status, ..ok(body) }).unwrap_err()
    }

    #[test]
    fn all_fields_of_an_error_document_are_read() {
        let error = failed(
            404,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchLiveChannel</Code>\n  \
             <Message>The specified live channel does not exist.</Message>\n  \
             <RequestId>6B02A4E6B92475920B00F3A1</RequestId>\n  <HostId>b.oss.example</HostId>\n  \
             <EC>0044-00000201</EC>\n  <Endpoint>oss-cn-beijing.example</Endpoint>\n  \
             <ServerTime>2026-11-22T08:16:38.000Z</ServerTime>\n</Error>",
        );
        assert_eq!(error.kind(), ErrorKind::Service);
        assert_eq!(error.code(), Some(code::NO_SUCH_LIVE_CHANNEL));
        assert_eq!(
            error.message(),
            "The specified live channel does not exist; \
             the bucket's endpoint is oss-cn-beijing.example"
        );
        assert_eq!(error.status(), Some(404));
        assert_eq!(error.request_id(), Some("6B02A4E6B92475920B00F3A1"));
        assert_eq!(error.host_id(), Some("b.oss.example"));
        assert_eq!(error.ec(), Some("0044-00000201"));
        assert_eq!(error.endpoint(), Some("oss-cn-beijing.example"));
        assert_eq!(error.server_time(), Some("2026-11-22T08:16:38.000Z"));
    }

    #[test]
    fn blank_fields_of_an_error_document_are_ignored() {
        for blank in ["", " ", "\r\n\r\n", "\u{2003}"] {
            let element = |name| format!("<{name}>{blank}</{name}>");
            let names = ["Code", "Message", "RequestId", "HostId", "EC", "ServerTime", "Endpoint"];
            let document = format!("<Error>{}</Error>", names.map(element).concat());
            let error = failed(400, &document);
            assert_eq!((error.code(), error.ec(), error.host_id()), (None, None, None));
            assert_eq!((error.server_time(), error.endpoint()), (None, None));
            assert_eq!(error.request_id(), Some("6B02A4E6B92475920B0002F1"), "the header's");
        }
    }

    #[test]
    fn an_error_without_a_document_keeps_status_and_request_id() {
        for (status, body, word) in
            [(502, "<html>Bad\n gateway</html>", "Bad gateway"), (500, "", "without a body")]
        {
            let error = failed(status, body);
            assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(status)));
            assert_eq!(error.request_id(), Some("6B02A4E6B92475920B0002F1"));
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn the_time_of_the_server_is_known_only_from_an_error_about_clock_skew() {
        let time_of = |code: &str, time: &str| {
            let document =
                format!("<Error><Code>{code}</Code><ServerTime>{time}</ServerTime></Error>");
            server_time(&failed(403, &document))
        };
        let time = "2026-11-22T08:16:38.000Z";
        assert_eq!(
            time_of("RequestTimeTooSkewed", time),
            Some(time::macros::datetime!(2026-11-22 08:16:38 UTC))
        );
        assert_eq!(time_of("AccessDenied", time), None);
        assert_eq!(time_of("RequestTimeTooSkewed", "soon"), None);
    }

    #[test]
    fn a_body_that_ends_with_the_connection_must_have_its_own_end_marker() {
        let check = |body: &str| {
            let reply = Reply { ends_with_connection: true, ..ok(body) };
            reply.check().map_err(|error| error.kind())
        };
        for complete in ["", " \n", "<A><B/></A>\n", "#EXTM3U\n1.ts\n#EXT-X-ENDLIST\r\n"] {
            assert_eq!(check(complete), Ok(()), "{complete}");
        }
        for truncated in ["<A><B/>", "#EXTM3U\n1.ts\n", "#EXTM3U\n#EXT-X-ENDLIST\n1.ts", "OK"] {
            assert_eq!(check(truncated), Err(ErrorKind::Connection), "{truncated}");
            assert!(ok(truncated).check().is_ok(), "{truncated}");
        }
    }

    #[test]
    fn a_page_instead_of_an_empty_body_is_an_error() {
        for page in ["<html><body/></html>", "<HTML/>", "OK"] {
            let error = delete_channel("c").unwrap().parse(&ok(page)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadReply);
            assert!(error.message().contains(page), "{error}");
        }
    }

    #[test]
    fn unknown_codes_are_passed_through() {
        let error = failed(418, "<Error><Code>TeapotBusy</Code></Error>");
        assert_eq!(error.code(), Some("TeapotBusy"));
    }

    #[test]
    fn an_error_document_with_a_success_status_is_an_error() {
        let reply = ok("<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
        let expect = |error: Error| assert_eq!(error.code(), Some(code::ACCESS_DENIED));
        expect(get_channel_status("c").unwrap().parse(&reply).unwrap_err());
        expect(list_channels(&ListChannels::new()).unwrap().parse(&reply).unwrap_err());
        expect(delete_channel("c").unwrap().parse(&reply).unwrap_err());
        expect(get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&reply).unwrap_err());
    }

    #[test]
    fn an_unexpected_response_shows_its_first_bytes() {
        for (body, word) in [
            ("", "empty"),
            ("<html><br>sign in</html>", "sign in"),
            ("plain words", "plain words"),
            ("<Other/>", "<Other>"),
            ("<LiveChannelStat><Status>Sleepy</Status></LiveChannelStat>", "Sleepy"),
            ("<LiveChannelStat></LiveChannelStat>", "Status"),
        ] {
            let error = get_channel_status("c").unwrap().parse(&ok(body)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadReply, "{body}");
            assert_eq!(error.status(), Some(200));
            assert_eq!(error.request_id(), Some("6B02A4E6B92475920B0002F1"));
            assert!(error.message().contains(word), "{error}");
        }
    }

    #[test]
    fn a_redirect_is_an_error_and_not_followed() {
        let error = failed(307, "");
        assert_eq!((error.kind(), error.status()), (ErrorKind::BadReply, Some(307)));
        assert!(error.message().contains("redirect"));
    }

    #[test]
    fn no_response_makes_a_parser_panic() {
        let seeds = [
            "<LiveChannelStat><Status>Live</Status><Video><Width>1</Width></Video></LiveChannelStat>",
            "<ListLiveChannelResult><IsTruncated>false</IsTruncated><LiveChannel><Name>a</Name>\
             <Status>enabled</Status><LastModified>2026-11-22T08:16:38.000Z</LastModified>\
             </LiveChannel></ListLiveChannelResult>",
            "<Error><Code>X</Code><ServerTime>2026-11-22T08:16:38.000Z</ServerTime></Error>",
        ];
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap()
        };
        for round in 0..20_000 {
            let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
            for _ in 0..=random() % 4 {
                let at = random() % bytes.len();
                match random() % 3 {
                    0 => bytes[at] = (random() % 256) as u8,
                    1 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, b"<>&/\"]!\xff"[random() % 8]),
                }
            }
            let status = if round % 2 == 0 { 200 } else { 403 };
            let reply = Reply { status, body: bytes, ..Reply::default() };
            let _ = get_channel_status("c").unwrap().parse(&reply);
            let _ = list_channels(&ListChannels::new()).unwrap().parse(&reply);
            let _ = get_channel_history("c").unwrap().parse(&reply);
            let _ = get_channel("c").unwrap().parse(&reply);
            let _ = put_channel("c", &ChannelConfig::default()).unwrap().parse(&reply);
            let _ = get_vod("c", &VodTime::new(0, 1)).unwrap().parse(&reply);
            let _ = delete_channel("c").unwrap().parse(&reply);
        }
    }
}
