//! Diagnoses: no problem if everything works, and the right problem for each fault.

#[path = "support/clip.rs"]
mod clip;

use clip::publish_and_wait;
use osslive::{
    ChannelConfig, ChannelState, Check, CheckId, Client, Credentials, Diagnosis, DiagnosisOptions,
    RtmpUrlOptions, SignatureVersion, Verdict,
};
use osslive_local::{Acl, Config, FaultRule, LocalEndpoint};
use std::thread;
use std::time::{Duration, Instant};

fn start(acl: Acl) -> LocalEndpoint {
    LocalEndpoint::start(Config::temporary().control().acl(acl)).unwrap()
}

fn of_verdict(diagnosis: &Diagnosis, verdict: Verdict) -> Vec<&Check> {
    diagnosis.checks.iter().filter(|check| check.verdict == verdict).collect()
}

fn problems(diagnosis: &Diagnosis) -> Vec<CheckId> {
    of_verdict(diagnosis, Verdict::Problem).iter().map(|check| check.id).collect()
}

fn seen(diagnosis: &Diagnosis, id: CheckId) -> (Verdict, &str) {
    let check = diagnosis.check(id).unwrap();
    (check.verdict, &check.seen)
}

#[test]
fn a_working_setup_has_no_problems_or_warnings() {
    for acl in [Acl::Private, Acl::PublicRead, Acl::PublicReadWrite] {
        let endpoint = start(acl);
        for version in [SignatureVersion::V1, SignatureVersion::V4] {
            let client = endpoint.client_builder().signature_version(version).build().unwrap();
            let healthy = |options: DiagnosisOptions<'_>| {
                let diagnosis = client.diagnose(&options);
                assert_eq!(diagnosis.problems + diagnosis.warnings, 0, "{diagnosis:#?}");
                assert_eq!(diagnosis.checks.len(), CheckId::ALL.len());
                assert!(diagnosis.elapsed_ms < 10_000);
                diagnosis
            };
            healthy(DiagnosisOptions::new());
            let id = format!("cam-{version}");
            client.put_channel(&id, &ChannelConfig::new("").frag_duration(1)).unwrap();
            healthy(DiagnosisOptions::new().channel(&id));
            let publisher = publish_and_wait(&client, &id);
            let url = client.get_rtmp_url(&id, &RtmpUrlOptions::new()).unwrap();
            let diagnosis = healthy(DiagnosisOptions::new().channel(&id).publish_url(url));
            assert!(seen(&diagnosis, CheckId::ChannelLive).1.starts_with("live from 127.0.0.1"));
            for id in [CheckId::Fragments, CheckId::PublishUrlSignature, CheckId::RtmpHandshake] {
                assert_eq!(seen(&diagnosis, id).0, Verdict::Ok, "{diagnosis:#?}");
            }
            publisher.finish().unwrap();
            healthy(DiagnosisOptions::new().channel(&id));
        }
    }
}

#[test]
fn a_diagnosis_changes_nothing() {
    let endpoint = start(Acl::Private);
    let client = endpoint.client_builder().build().unwrap();
    client.put_channel("cam", &ChannelConfig::new("Cam").frag_duration(7)).unwrap();
    client.put_channel_status("cam", ChannelState::Disabled).unwrap();
    let before = client.get_channel("cam").unwrap();
    client.diagnose(&DiagnosisOptions::new().channel("cam"));
    let after = client.get_channel("cam").unwrap();
    assert_eq!((after.status, after.frag_duration), (before.status, before.frag_duration));
    assert_eq!(after.last_modified, before.last_modified);
    assert_eq!(client.channels("").count(), 1);
}

#[test]
fn each_fault_of_the_service_is_reported() {
    let endpoint = start(Acl::PublicRead);
    let control = endpoint.control().unwrap();
    let client = endpoint.client_builder().build().unwrap();
    client.put_channel("cam", &ChannelConfig::new("").frag_duration(1)).unwrap();
    let _publisher = publish_and_wait(&client, "cam");
    let rejection = |operation: &str, status, code: &str| FaultRule {
        status: Some(status),
        code: Some(code.to_owned()),
        ..FaultRule::new(operation)
    };
    let with_ec = |rule: FaultRule, ec: &str| FaultRule { ec: Some(ec.to_owned()), ..rule };
    let list = |status, code| rejection("ListLiveChannel", status, code);
    for (rule, id, verdict) in [
        (list(403, "InvalidAccessKeyId"), CheckId::AccessKey, Verdict::Problem),
        (list(403, "SignatureDoesNotMatch"), CheckId::AccessKey, Verdict::Problem),
        (list(403, "SecurityTokenExpired"), CheckId::AccessKey, Verdict::Problem),
        (list(404, "NoSuchBucket"), CheckId::Bucket, Verdict::Problem),
        (list(403, "SecondLevelDomainForbidden"), CheckId::Endpoint, Verdict::Problem),
        (list(400, "PublicEndpointForbidden"), CheckId::PublicEndpoint, Verdict::Problem),
        (list(503, "ServiceUnavailable"), CheckId::Service, Verdict::Problem),
        (
            with_ec(list(403, "AccessDenied"), "0002-00000080"),
            CheckId::SignatureVersion,
            Verdict::Problem,
        ),
        (
            with_ec(list(400, "InvalidArgument"), "0002-00000226"),
            CheckId::Endpoint,
            Verdict::Problem,
        ),
        (
            rejection("ListLiveChannel", 403, "AccessDenied"),
            CheckId::PermissionListLiveChannel,
            Verdict::Warning,
        ),
        (
            rejection("PutLiveChannel", 403, "AccessDenied"),
            CheckId::PermissionPutLiveChannel,
            Verdict::Warning,
        ),
        (
            rejection("DeleteLiveChannel", 403, "AccessDenied"),
            CheckId::PermissionDeleteLiveChannel,
            Verdict::Warning,
        ),
        (
            rejection("GetLiveChannelStat", 403, "AccessDenied"),
            CheckId::PermissionGetLiveChannelStat,
            Verdict::Warning,
        ),
        (
            rejection("GetLiveChannelInfo", 404, "NoSuchLiveChannel"),
            CheckId::Channel,
            Verdict::Problem,
        ),
        (
            rejection("GetSignedPlaylist", 403, "AccessDenied"),
            CheckId::PlayFragmentsSigned,
            Verdict::Problem,
        ),
        (
            FaultRule { channel: Some("*.ts".into()), ..rejection("GetObject", 404, "NoSuchKey") },
            CheckId::Fragments,
            Verdict::Problem,
        ),
        (
            FaultRule { date_skew_seconds: Some(3600), ..FaultRule::new("*") },
            CheckId::Clock,
            Verdict::Problem,
        ),
    ] {
        control.clear_faults();
        let shown = format!("{rule:?}");
        control.add(rule).unwrap();
        let diagnosis = client.diagnose(&DiagnosisOptions::new().channel("cam"));
        assert_eq!(seen(&diagnosis, id).0, verdict, "{shown}: {diagnosis:#?}");
        let advice = &diagnosis.check(id).unwrap().advice;
        assert!(advice.as_ref().is_some_and(|advice| advice.len() > 10), "{advice:?}");
    }
}

#[test]
fn each_fault_of_the_channel_is_reported() {
    let endpoint = start(Acl::Private);
    let client = endpoint.client_builder().build().unwrap();
    let of = |options: DiagnosisOptions<'_>| problems(&client.diagnose(&options));
    for id in ["nobody", "a/b", "", "."] {
        assert_eq!(of(DiagnosisOptions::new().channel(id)), [CheckId::Channel], "{id:?}");
    }
    client.put_channel("cam", &ChannelConfig::default()).unwrap();
    client.put_channel_status("cam", ChannelState::Disabled).unwrap();
    assert_eq!(of(DiagnosisOptions::new().channel("cam")), [CheckId::ChannelEnabled]);
    client.put_channel_status("cam", ChannelState::Enabled).unwrap();
    let url = client.get_rtmp_url("cam", &RtmpUrlOptions::new()).unwrap();
    let cut = url.split('&').next().unwrap().to_owned();
    let options = || DiagnosisOptions::new().channel("cam");
    assert_eq!(of(options().publish_url(cut)), [CheckId::PublishUrlQuery]);
    assert_eq!(of(options().play_url("http://127.0.0.1:1/x.m3u8")), [CheckId::PlayUnsigned]);
    let _publisher = publish_and_wait(&client, "cam");
    let until = Instant::now() + Duration::from_secs(20);
    while of(options().origin("https://www.example.com")) != [CheckId::Cors] {
        assert!(Instant::now() < until, "{:?}", of(options().origin("https://www.example.com")));
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn each_fault_of_a_publish_url_is_reported() {
    let endpoint = start(Acl::Private);
    let client = endpoint.client_builder().build().unwrap();
    client.put_channel("cam", &ChannelConfig::default()).unwrap();
    let options = RtmpUrlOptions::new().playlist_name("main.m3u8");
    let url = client.get_rtmp_url("cam", &options).unwrap();
    let expires = url.split("Expires=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let with = |from: &str, to: &str| {
        assert!(url.contains(from), "{from} in {url}");
        url.replacen(from, to, 1)
    };
    for (url, id, word) in [
        (with("rtmp://", "http://"), CheckId::PublishUrlHost, "rtmp://"),
        (with("127.0.0.1", "b.oss-cn-beijing.aliyuncs.com"), CheckId::PublishUrlHost, "bucket"),
        (with("/live/", "/app/"), CheckId::PublishUrlPath, "/live/"),
        (with("/cam?", "/other?"), CheckId::PublishUrlPath, "channel"),
        (with("/cam?", "/cam/cam?"), CheckId::PublishUrlPath, "/live/"),
        (url.split('?').next().unwrap().to_owned(), CheckId::PublishUrlQuery, "question mark"),
        (url.split('&').next().unwrap().to_owned(), CheckId::PublishUrlQuery, "quotes"),
        (format!("{url}&{}", url.split('?').nth(1).unwrap()), CheckId::PublishUrlQuery, "once"),
        (with(&expires, "1700000000"), CheckId::PublishUrlExpires, "new URL"),
        (with(&expires, &format!("{expires}000")), CheckId::PublishUrlExpires, "seconds"),
        (with(&expires, "tomorrow"), CheckId::PublishUrlExpires, "seconds"),
        (with("Signature=", "Signature=x"), CheckId::PublishUrlSignature, "new URL"),
        (with("main.m3u8", "late.m3u8"), CheckId::PublishUrlSignature, "signed too"),
    ] {
        let diagnosis = client.diagnose(&DiagnosisOptions::new().channel("cam").publish_url(&*url));
        let check = diagnosis.check(id).unwrap();
        assert!(check.verdict > Verdict::Ok, "{url}: {id}: {diagnosis:#?}");
        let advice = check.advice.as_deref().unwrap_or_default();
        assert!(advice.contains(word), "{url}: {id}: {advice}");
    }
}

#[test]
fn an_unreachable_service_is_a_problem_that_is_found_quickly() {
    let builder = || {
        let keys = Credentials::new("LTAI5t", "secret");
        Client::builder().region("cn-hangzhou").bucket("live-demo").credentials(keys).no_proxy()
    };
    let nothing = builder().endpoint("http://127.0.0.1:1").build().unwrap();
    let diagnosis = nothing.diagnose(&DiagnosisOptions::new());
    assert_eq!(problems(&diagnosis), [CheckId::HttpPort, CheckId::RtmpPort]);
    let unknown = builder().endpoint("http://no-such-host.invalid").build().unwrap();
    let diagnosis = unknown.diagnose(&DiagnosisOptions::new().channel("cam"));
    assert_eq!(problems(&diagnosis), [CheckId::HostName, CheckId::RtmpPort]);
    let endpoint = start(Acl::Private);
    let keys = Credentials::new("STS.abc", "secret");
    let client = endpoint.client_builder().credentials(keys).build().unwrap();
    assert_eq!(problems(&client.diagnose(&DiagnosisOptions::new())), [CheckId::Credentials]);
    let error = Client::builder().bucket("live-demo").region("cn-hangzhou").build().unwrap_err();
    assert_eq!(problems(&Diagnosis::of_build_error(&error)), [CheckId::Credentials]);
}

#[test]
fn checks_are_reported_as_soon_as_they_are_done_and_show_no_secrets() {
    let endpoint = start(Acl::Private);
    let client = endpoint.client_builder().build().unwrap();
    let url = client.get_rtmp_url("cam", &RtmpUrlOptions::new()).unwrap();
    let mut reported = Vec::new();
    let options = DiagnosisOptions::new().publish_url(&url).on_check(|check| {
        reported.push(check.clone());
    });
    let diagnosis = client.diagnose(&options);
    drop(options);
    reported.sort_by_key(|check| check.id);
    assert_eq!(reported, diagnosis.checks);
    let signature = url.split("Signature=").nth(1).unwrap();
    let all = format!("{diagnosis:?}");
    assert!(!all.contains(signature) && !all.contains(Config::ACCESS_KEY_SECRET), "{all}");
}
