//! Measures the parts of the SDK that need no network: `cargo bench -p
//! osslive-benches`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use osslive::operation::{self, Reply};
use osslive::request::Request;
use osslive::sign::{SignatureVersion, Signer};
use osslive::{ChannelConfig, Credentials, ListChannels, VodTime};
use std::hint::black_box;
use std::time::Duration;
use time::macros::datetime;

fn signing(c: &mut Criterion) {
    let now = datetime!(2026-11-22 08:16:38 UTC);
    let keys = || Credentials::new("LTAI5tBenchKeyId", "BenchSecret7xYzABCDEFGH01");
    let request = operation::get_channel_status("cam-0001").unwrap().into_request();
    let mut group = c.benchmark_group("sign");
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let signer = Signer::new(version, "cn-hangzhou", keys());
        group.bench_function(format!("a request, {version:?}"), |b| {
            b.iter(|| signer.headers(black_box(&request), "live-demo", now));
        });
        group.bench_function(format!("a play URL, {version:?}"), |b| {
            let play = operation::play("cam-0001", "playlist.m3u8").unwrap();
            b.iter(|| signer.presign(black_box(&play), "live-demo", 3600, now));
        });
    }
    let signer = Signer::new(SignatureVersion::V4, "cn-hangzhou", keys());
    group.bench_function("a publish URL", |b| {
        b.iter(|| {
            let mut url = String::with_capacity(256);
            signer.push_rtmp_query(
                &mut url,
                "live-demo",
                black_box("cam-0001"),
                1_795_422_998,
                &[("playlistName", "playlist.m3u8")],
                true,
            );
            url
        });
    });
    group.finish();
}

type Build<'a> = Box<dyn Fn() -> Request + 'a>;

fn building(c: &mut Criterion) {
    let config = ChannelConfig::new("Camera");
    let day = VodTime::new(1_795_335_398, 1_795_338_998);
    let builders: [(&str, Build<'_>); 7] = [
        ("put", Box::new(|| operation::put_channel("cam-0001", &config).unwrap().into_request())),
        ("get", Box::new(|| operation::get_channel("cam-0001").unwrap().into_request())),
        ("stat", Box::new(|| operation::get_channel_status("cam-0001").unwrap().into_request())),
        (
            "history",
            Box::new(|| operation::get_channel_history("cam-0001").unwrap().into_request()),
        ),
        (
            "list",
            Box::new(|| {
                operation::list_channels(&ListChannels::new().max_keys(100)).unwrap().into_request()
            }),
        ),
        (
            "create vod",
            Box::new(|| operation::create_vod("cam-0001", "evening", &day).unwrap().into_request()),
        ),
        ("get vod", Box::new(|| operation::get_vod("cam-0001", &day).unwrap().into_request())),
    ];
    let mut group = c.benchmark_group("build");
    for (name, build) in &builders {
        group.bench_function(*name, |b| b.iter(build));
    }
    group.finish();
}

fn reply(body: String) -> Reply {
    Reply { status: 200, body: body.into_bytes(), ..Reply::default() }
}

fn list(channels: usize) -> Reply {
    let channel = "<LiveChannel><Name>cam-0001</Name><Description>Camera 0001</Description>\
        <Status>enabled</Status><LastModified>2026-11-22T08:16:38.000Z</LastModified><PublishUrls>\
        <Url>rtmp://live-demo.oss-cn-hangzhou.aliyuncs.com/live/cam-0001</Url></PublishUrls>\
        <PlayUrls><Url>http://live-demo.oss-cn-hangzhou.aliyuncs.com/cam-0001/playlist.m3u8</Url>\
        </PlayUrls></LiveChannel>\n";
    reply(format!(
        "<ListLiveChannelResult><Prefix></Prefix><Marker></Marker><MaxKeys>{channels}</MaxKeys>\
         <IsTruncated>false</IsTruncated>{}</ListLiveChannelResult>",
        channel.repeat(channels)
    ))
}

fn parsing(c: &mut Criterion) {
    let stat = reply(
        "<LiveChannelStat><Status>Live</Status><ConnectedTime>2026-11-22T08:16:38.000Z\
         </ConnectedTime><RemoteAddr>203.0.113.9:47745</RemoteAddr><Video><Width>1280</Width>\
         <Height>720</Height><FrameRate>29</FrameRate><Bandwidth>72513</Bandwidth><Codec>H264\
         </Codec></Video><Audio><Bandwidth>6519</Bandwidth><SampleRate>44100</SampleRate>\
         <Codec>AAC</Codec></Audio></LiveChannelStat>"
            .to_owned(),
    );
    let record = "<LiveRecord><StartTime>2026-11-22T01:53:21.000Z</StartTime>\
        <EndTime>2026-11-22T01:53:31.000Z</EndTime><RemoteAddr>203.0.113.9:56861</RemoteAddr>\
        </LiveRecord>";
    let history = reply(format!("<LiveChannelHistory>{}</LiveChannelHistory>", record.repeat(10)));
    let put = reply(
        "<CreateLiveChannelResult><PublishUrls><Url>rtmp://a/live/c</Url></PublishUrls><PlayUrls>\
         <Url>http://a/c/playlist.m3u8</Url></PlayUrls></CreateLiveChannelResult>"
            .to_owned(),
    );
    let get = reply(
        "<LiveChannelConfiguration><Description>Camera</Description><Status>enabled</Status>\
         <Target><Type>HLS</Type><FragDuration>5</FragDuration><FragCount>3</FragCount>\
         <PlaylistName>playlist.m3u8</PlaylistName></Target></LiveChannelConfiguration>"
            .to_owned(),
    );
    let rejected = Reply {
        status: 404,
        ..reply(
            "<Error><Code>NoSuchLiveChannel</Code><Message>The specified live channel does not \
             exist.</Message><RequestId>6B02A4E6B92475920B00F3A1</RequestId><HostId>a</HostId>\
             <EC>0044-00000201</EC></Error>"
                .to_owned(),
        )
    };
    let mut group = c.benchmark_group("parse");
    let call = operation::get_channel_status("cam-0001").unwrap();
    group.bench_function("stat", |b| b.iter(|| call.parse(&stat)));
    let call = operation::get_channel_history("cam-0001").unwrap();
    group.bench_function("history", |b| b.iter(|| call.parse(&history)));
    let call = operation::put_channel("cam-0001", &ChannelConfig::default()).unwrap();
    group.bench_function("put", |b| b.iter(|| call.parse(&put)));
    let call = operation::get_channel("cam-0001").unwrap();
    group.bench_function("get", |b| b.iter(|| call.parse(&get)));
    group.bench_function("an error", |b| b.iter(|| rejected.check()));
    // Time must be proportional to the number of channels.
    let call = operation::list_channels(&ListChannels::new()).unwrap();
    for channels in [100, 500, 1000] {
        let list = list(channels);
        group.throughput(Throughput::Bytes(list.body.len() as u64));
        group.bench_with_input(BenchmarkId::new("list", channels), &list, |b, list| {
            b.iter(|| call.parse(list));
        });
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = pure; config = short(); targets = signing, building, parsing }
criterion_main!(pure);
