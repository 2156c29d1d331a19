//! What a client can be made of, and what is said of what it cannot.

use osslive::{AddressingStyle, Client, ClientBuilder, Credentials, ErrorKind, RtmpUrlOptions};

fn builder() -> ClientBuilder {
    Client::builder().bucket("live-demo").credentials(Credentials::new("id", "hush"))
}

fn publish_url(builder: ClientBuilder) -> String {
    let client = builder.build().unwrap();
    client.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap()
}

#[test]
fn a_client_is_cheap_to_clone_and_may_be_used_from_any_thread() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<Client>();
}

#[test]
fn a_region_gives_the_public_or_the_internal_endpoint() {
    let url = publish_url(builder().region("cn-hangzhou"));
    assert!(url.starts_with("rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live/c?"), "{url}");
    let url = publish_url(builder().region("oss-cn-hangzhou").internal(true));
    assert!(url.starts_with("rtmp://live-demo.oss-cn-hangzhou-internal.aliyuncs.com/"), "{url}");
}

#[test]
fn the_region_is_read_off_an_endpoint_that_names_it() {
    let client = builder().endpoint("oss-us-west-1.aliyuncs.com").build().unwrap();
    let url = client.get_play_url("c", "playlist.m3u8", 60).unwrap();
    assert!(url.contains("us-west-1%2Foss%2Faliyun_v4_request"), "{url}");
}

#[test]
fn a_cname_keeps_the_bucket_out_of_the_url() {
    let cname = builder()
        .endpoint("live.example.com")
        .region("cn-hangzhou")
        .addressing_style(AddressingStyle::Cname);
    assert!(publish_url(cname).starts_with("rtmp://live.example.com/live/c?"));
}

#[test]
fn what_is_missing_is_named() {
    let keys = || Client::builder().credentials(Credentials::new("id", "hush"));
    for (builder, kind, word) in [
        (keys().region("cn-hangzhou"), ErrorKind::Config, "bucket"),
        (builder(), ErrorKind::Config, "region"),
        (builder().endpoint("live.example.com"), ErrorKind::Config, "region"),
        (builder().region("cn hangzhou"), ErrorKind::Config, "region"),
        (Client::builder().region("r").bucket("live-demo"), ErrorKind::Credentials, "credentials"),
        (builder().region("r").user_agent("a\nb"), ErrorKind::Config, "user agent"),
        (builder().region("r").proxy("::"), ErrorKind::Config, "proxy"),
        (builder().region("r").timeout(std::time::Duration::ZERO), ErrorKind::Config, "timeout"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(word), "{error}");
    }
}

#[test]
fn credentials_that_cannot_be_right_are_refused_before_anything_is_sent() {
    let client =
        builder().region("cn-hangzhou").credentials(Credentials::new("id", "")).build().unwrap();
    let error = client.get_channel_status("c").unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Credentials, 0));
}

#[test]
fn an_error_of_a_provider_reaches_the_caller() {
    let provider = || Err(osslive::Error::new(ErrorKind::Credentials, "the vault is closed"));
    let client = builder().region("cn-hangzhou").credentials(provider).build().unwrap();
    let error = client.get_rtmp_url("c", &RtmpUrlOptions::new()).unwrap_err();
    assert_eq!(error.message(), "the vault is closed");
}

#[test]
fn nothing_that_holds_a_secret_shows_it() {
    let credentials = Credentials::new("id", "hush").with_security_token("quiet");
    let builder = Client::builder()
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(credentials)
        .proxy("http://user:shh@127.0.0.1:1");
    let shown = format!("{builder:?}");
    let client = builder.build().unwrap();
    let error = client.get_channel_status("a/b").unwrap_err();
    let shown = format!("{shown} {client:?} {error:?} {error}");
    for secret in ["hush", "quiet", "shh"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn an_sts_token_is_signed_unless_told_otherwise() {
    let client = Client::builder()
        .region("cn-hangzhou")
        .bucket("live-demo")
        .credentials(Credentials::new("id", "hush").with_security_token("a+b/c"))
        .build()
        .unwrap();
    let signature = |options: RtmpUrlOptions| {
        let url = client.get_rtmp_url("c", &options).unwrap();
        assert!(url.ends_with("&security-token=a%2Bb%2Fc"), "{url}");
        url.split("Signature=").nth(1).unwrap().split('&').next().unwrap().to_owned()
    };
    let signed = signature(RtmpUrlOptions::new());
    let unsigned = signature(RtmpUrlOptions::new().sign_security_token(false));
    assert_ne!(signed, unsigned);
}

#[test]
fn a_play_url_is_good_for_a_week_at_most() {
    let client = builder().region("cn-hangzhou").build().unwrap();
    for (expires, good) in [(0, false), (1, true), (604_800, true), (604_801, false)] {
        assert_eq!(client.get_play_url("c", "playlist.m3u8", expires).is_ok(), good, "{expires}");
    }
    assert!(client.get_play_url("c", "clip.mp4", 60).is_err());
}
