//! The configuration of a client, and the errors of invalid ones.

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
fn the_region_is_inferred_from_the_endpoint() {
    let client = builder().endpoint("oss-us-west-1.aliyuncs.com").build().unwrap();
    let url = client.get_play_url("c", "playlist.m3u8", 60).unwrap();
    assert!(url.contains("us-west-1%2Foss%2Faliyun_v4_request"), "{url}");
}

#[test]
fn a_url_with_a_cname_does_not_contain_the_bucket() {
    let cname = builder()
        .endpoint("live.example.com")
        .region("cn-hangzhou")
        .addressing_style(AddressingStyle::Cname);
    assert!(publish_url(cname).starts_with("rtmp://live.example.com/live/c?"));
}

#[test]
fn missing_settings_are_named() {
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
fn invalid_credentials_are_rejected_before_anything_is_sent() {
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
fn no_type_that_contains_a_secret_shows_it() {
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
fn an_sts_token_is_signed_by_default() {
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
fn a_play_url_is_valid_for_at_most_a_week() {
    let client = builder().region("cn-hangzhou").build().unwrap();
    for (expires, good) in [(0, false), (1, true), (604_800, true), (604_801, false)] {
        assert_eq!(client.get_play_url("c", "playlist.m3u8", expires).is_ok(), good, "{expires}");
    }
    assert!(client.get_play_url("c", "clip.mp4", 60).is_err());
}

#[test]
fn the_buckets_own_domain_is_accepted_as_an_endpoint() {
    let hangzhou = "rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live/c?";
    for (endpoint, start) in [
        ("live-demo.oss-cn-hangzhou.aliyuncs.com", hangzhou),
        ("https://live-demo.oss-cn-hangzhou.aliyuncs.com/", hangzhou),
        ("Live-Demo.OSS-cn-hangzhou.aliyuncs.com:443", hangzhou),
        (
            "live-demo.oss-cn-hangzhou-internal.aliyuncs.com",
            "rtmp://live-demo.oss-cn-hangzhou-internal.aliyuncs.com/live/c?",
        ),
        (
            "live-demo.cn-shanghai.oss.aliyuncs.com",
            "rtmp://live-demo.cn-shanghai.oss.aliyuncs.com/live/c?",
        ),
    ] {
        let url = publish_url(builder().endpoint(endpoint));
        assert!(url.starts_with(start), "{endpoint}: {url}");
        // The endpoint also names the bucket.
        let unnamed = Client::builder().credentials(Credentials::new("id", "hush"));
        let url = publish_url(unnamed.endpoint(endpoint));
        assert!(url.starts_with(start), "{endpoint}: {url}");
    }
    let accelerated = builder().region("cn-hangzhou");
    let url = publish_url(accelerated.endpoint("live-demo.oss-accelerate.aliyuncs.com"));
    assert!(url.starts_with("rtmp://live-demo.oss-accelerate.aliyuncs.com/live/c?"), "{url}");
    let other = builder().endpoint("other-demo.oss-cn-hangzhou.aliyuncs.com").build().unwrap_err();
    for part in ["other-demo", "live-demo"] {
        assert!(other.message().contains(part), "{other}");
    }
    let cname = builder()
        .endpoint("live-demo.oss-cn-hangzhou.aliyuncs.com")
        .addressing_style(AddressingStyle::Cname);
    assert!(publish_url(cname).starts_with(hangzhou));
}

#[test]
fn hosts_that_cannot_be_virtual_hosted_use_path_style() {
    for host in ["osslive:9000", "minio", "host.docker.internal:9000", "host.containers.internal"] {
        let url = publish_url(builder().region("r").endpoint(format!("http://{host}")));
        assert!(url.starts_with(&format!("rtmp://{host}/live-demo/live/c?")), "{url}");
    }
    let url = publish_url(
        builder()
            .region("r")
            .endpoint("http://osslive:9000")
            .addressing_style(AddressingStyle::VirtualHosted),
    );
    assert!(url.starts_with("rtmp://live-demo.osslive:9000/live/c?"), "{url}");
}

#[test]
fn an_ipv6_address_must_be_in_brackets() {
    for endpoint in ["http://::1:9000", "::1", "fe80::1:80", "[::1", "::1]", "[::1]x:9", "[::1]9"] {
        let error = builder().region("r").endpoint(endpoint).build().unwrap_err();
        assert!(error.message().contains("endpoint"), "{endpoint}: {error}");
    }
    let error = builder().region("r").endpoint("http://::1:9000").build().unwrap_err();
    assert!(error.message().contains("[::1]:9000"), "{error}");
    assert!(builder().region("r").endpoint("http://[::1]:9000").build().is_ok());
}
