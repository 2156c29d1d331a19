//! Where each setting comes from: what is set by hand, then each source in the
//! order in which it was named; and never one that contradicts another.
//!
//! Each case runs in a process of its own, as the environment is shared.

use osslive::{Client, ClientBuilder, Credentials, RtmpUrlOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

const CASE: &str = "OSSLIVE_TEST_CASE";
const FILE: &str = "OSSLIVE_TEST_FILE";

/// A name, the environment, what is set, what a publish URL begins with or an
/// error says, and the access key that signs the URL.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    fn(ClientBuilder, &Path) -> ClientBuilder,
    Result<&'static str, &'static str>,
    &'static str,
);

const KEYS: [(&str, &str); 2] =
    [("OSS_ACCESS_KEY_ID", "env-id"), ("OSS_ACCESS_KEY_SECRET", "env-secret")];

const CASES: &[Case] = &[
    (
        "an endpoint of the environment beside a region by hand",
        &[KEYS[0], KEYS[1], ("OSS_ENDPOINT", "gateway.example"), ("OSS_BUCKET", "env-bucket")],
        |builder, _| builder.region("cn-shanghai").from_env(),
        Ok("rtmp://env-bucket.gateway.example/live/c?"),
        "env-id",
    ),
    (
        "the same the other way round",
        &[KEYS[0], KEYS[1], ("OSS_ENDPOINT", "gateway.example"), ("OSS_BUCKET", "env-bucket")],
        |builder, _| builder.from_env().region("cn-shanghai").bucket("by-hand"),
        Ok("rtmp://by-hand.gateway.example/live/c?"),
        "env-id",
    ),
    (
        "an endpoint of a profile beside a region by hand",
        &[],
        |builder, file| builder.region("cn-shanghai").bucket("by-hand").profile(Some(file), None),
        Ok("rtmp://by-hand.profile.example/live/c?"),
        "profile-id",
    ),
    (
        "a profile before the environment",
        &[KEYS[0], KEYS[1], ("OSS_REGION", "cn-beijing"), ("OSS_BUCKET", "env-bucket")],
        |builder, file| builder.profile(Some(file), None).from_env(),
        Ok("rtmp://env-bucket.profile.example/live/c?"),
        "profile-id",
    ),
    (
        "the environment before a profile",
        &[KEYS[0], KEYS[1], ("OSS_REGION", "cn-beijing"), ("OSS_BUCKET", "env-bucket")],
        |builder, file| builder.from_env().profile(Some(file), None),
        Ok("rtmp://env-bucket.profile.example/live/c?"),
        "env-id",
    ),
    (
        "an environment without keys completes a profile",
        &[("OSS_REGION", "cn-beijing"), ("OSS_BUCKET", "env-bucket")],
        |builder, file| builder.profile(Some(file), None).from_env(),
        Ok("rtmp://env-bucket.profile.example/live/c?"),
        "profile-id",
    ),
    (
        "keys by hand before all others",
        &[KEYS[0], KEYS[1], ("OSS_REGION", "cn-beijing"), ("OSS_BUCKET", "env-bucket")],
        |builder, _| builder.credentials(Credentials::new("hand-id", "s")).from_env(),
        Ok("rtmp://env-bucket.oss-cn-beijing.aliyuncs.com/live/c?"),
        "hand-id",
    ),
    (
        "a region by hand that the environment's endpoint contradicts",
        &[KEYS[0], KEYS[1], ("OSS_ENDPOINT", "oss-cn-hangzhou.aliyuncs.com")],
        |builder, _| builder.region("cn-shanghai").bucket("by-hand").from_env(),
        Err("OSS_ENDPOINT"),
        "",
    ),
    (
        "a region of the environment that an endpoint by hand contradicts",
        &[KEYS[0], KEYS[1], ("OSS_REGION", "cn-beijing")],
        |builder, _| builder.endpoint("oss-cn-hangzhou.aliyuncs.com").bucket("b-1").from_env(),
        Err("OSS_REGION"),
        "",
    ),
    (
        "region and endpoint by hand that contradict each other",
        &[],
        |builder, _| {
            let keys = Credentials::new("hand-id", "s");
            builder.region("cn-beijing").endpoint("oss-cn-hangzhou.aliyuncs.com").credentials(keys)
        },
        Err("cn-hangzhou"),
        "",
    ),
    (
        "an internal endpoint beside a public one",
        &[KEYS[0], KEYS[1], ("OSS_ENDPOINT", "oss-cn-hangzhou.aliyuncs.com")],
        |builder, _| builder.internal(true).bucket("by-hand").from_env(),
        Err("internal"),
        "",
    ),
    (
        "an internal endpoint beside itself",
        &[KEYS[0], KEYS[1], ("OSS_ENDPOINT", "oss-cn-hangzhou-internal.aliyuncs.com")],
        |builder, _| builder.internal(true).bucket("by-hand").from_env(),
        Ok("rtmp://by-hand.oss-cn-hangzhou-internal.aliyuncs.com/live/c?"),
        "env-id",
    ),
    (
        "the same region in its two spellings",
        &[KEYS[0], KEYS[1], ("OSS_ENDPOINT", "oss-cn-hangzhou.aliyuncs.com")],
        |builder, _| builder.region("oss-cn-hangzhou").bucket("by-hand").from_env(),
        Ok("rtmp://by-hand.oss-cn-hangzhou.aliyuncs.com/live/c?"),
        "env-id",
    ),
    (
        "half an access key in the environment",
        &[KEYS[0], ("OSS_REGION", "cn-beijing")],
        |builder, _| builder.bucket("by-hand").from_env(),
        Err("OSS_ACCESS_KEY_SECRET"),
        "",
    ),
    (
        "a profile that is not there",
        &[KEYS[0], KEYS[1], ("OSS_REGION", "cn-beijing")],
        |builder, file| {
            builder.bucket("by-hand").profile(Some(&file.join("none")), None).from_env()
        },
        Err("cannot be read"),
        "",
    ),
    (
        "quotes that an environment file left in a value",
        &[("OSS_ACCESS_KEY_ID", "\"env-id\""), KEYS[1], ("OSS_REGION", "cn-beijing")],
        |builder, _| builder.bucket("by-hand").from_env(),
        Err("quotes"),
        "",
    ),
    (
        "quotes around a region",
        &[KEYS[0], KEYS[1], ("OSS_REGION", "'cn-beijing'")],
        |builder, _| builder.bucket("by-hand").from_env(),
        Err("quotes"),
        "",
    ),
    (
        "quotes around an endpoint",
        &[KEYS[0], KEYS[1], ("OSS_ENDPOINT", "\"oss-cn-hangzhou.aliyuncs.com\"")],
        |builder, _| builder.bucket("by-hand").from_env(),
        Err("quotes"),
        "",
    ),
    (
        "quotes around a bucket",
        &[KEYS[0], KEYS[1], ("OSS_REGION", "cn-beijing"), ("OSS_BUCKET", "\"b-1\"")],
        |builder, _| builder.from_env(),
        Err("quotes"),
        "",
    ),
    (
        "the file and the profile that ossutil's variables name",
        &[("OSSUTIL_CONFIG_FILE", "FILE"), ("OSSUTIL_PROFILE", "edge"), ("OSS_BUCKET", "b-1")],
        |builder, _| builder.profile(None, None).bucket("by-hand"),
        Ok("rtmp://by-hand.oss-cn-qingdao.aliyuncs.com/live/c?"),
        "edge-id",
    ),
    (
        "a profile by hand before ossutil's variables",
        &[("OSSUTIL_CONFIG_FILE", "/none"), ("OSSUTIL_PROFILE", "edge")],
        |builder, file| {
            builder.profile(Some(file), Some("default")).bucket("by-hand").region("r-1")
        },
        Ok("rtmp://by-hand.profile.example/live/c?"),
        "profile-id",
    ),
];

fn outcome(builder: ClientBuilder) -> Result<String, osslive::Error> {
    builder.build()?.get_rtmp_url("c", &RtmpUrlOptions::new())
}

fn check((name, _, build, expected, key): &Case, file: &Path) {
    let outcome = outcome(build(Client::builder(), file));
    match (expected, &outcome) {
        (Ok(start), Ok(url)) => {
            assert!(url.starts_with(start), "{name}: {url}");
            assert!(url.contains(&format!("OSSAccessKeyId={key}&")), "{name}: {url}");
        }
        (Err(word), Err(error)) => assert!(error.message().contains(word), "{name}: {error}"),
        _ => panic!("{name}: {outcome:?}"),
    }
}

#[test]
fn each_setting_comes_from_the_first_source_that_has_it() {
    if let Ok(case) = std::env::var(CASE) {
        let file = PathBuf::from(std::env::var(FILE).unwrap());
        return check(&CASES[case.parse::<usize>().unwrap()], &file);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("ossutilconfig-{}", std::process::id()));
    let text = "# Gr\u{fc}n\n[default]\naccessKeyID=profile-id\naccessKeySecret: s1\n\
                endpoint=profile.example\n[profile edge]\naccessKeyID=edge-id\n\
                accessKeySecret=s2\nregion=cn-qingdao\n";
    // In the comment, a byte that is no UTF-8.
    let text: Vec<u8> = text.chars().map(|character| character as u8).collect();
    std::fs::write(&file, text).unwrap();
    let mut failed = Vec::new();
    for (number, (name, variables, ..)) in CASES.iter().enumerate() {
        let variables = variables
            .iter()
            .map(|(variable, value)| (*variable, value.replace("FILE", file.to_str().unwrap())));
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "each_setting_comes_from_the_first_source_that_has_it"])
            .env_clear()
            .envs(variables)
            .env(CASE, number.to_string())
            .env(FILE, &file)
            .output()
            .unwrap();
        if !output.status.success() {
            failed.push(format!("{name}: {}", String::from_utf8_lossy(&output.stdout)));
        }
    }
    std::fs::remove_file(file).unwrap();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), CASES.len(), failed.join("\n"));
}
