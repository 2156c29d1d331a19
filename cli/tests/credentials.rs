//! Credentials that the command finds by itself: in the order of the vendor's
//! tools, from both kinds of config files, a metadata service, a URL or a program.

mod support;

use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use support::{KEY_ID, KEY_SECRET, SOON, STS_ID, STS_SECRET, STS_TOKEN, Shell, failed, run};

/// A service that responds to every request with the endpoint's temporary credentials,
/// like the metadata service and a credentials URI; returns its URL.
fn issuer() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let issued = json!({
        "Code": "Success", "AccessKeyId": STS_ID, "AccessKeySecret": STS_SECRET,
        "SecurityToken": STS_TOKEN, "Expiration": "2099-01-01T00:00:00Z",
    });
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let reader = BufReader::new(stream.try_clone().expect("a stream"));
            let head: Vec<_> =
                reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let body = match head.first().map(String::as_str).unwrap_or_default() {
                line if line.starts_with("PUT /latest/api/token ") => "imds".to_owned(),
                line if line.contains("/security-credentials/ ") => "live".to_owned(),
                _ => issued.to_string(),
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
        }
    });
    url
}

/// The command with its endpoint, without credentials in the environment.
fn without_keys(shell: &Shell, line: &str) -> Command {
    let mut command = shell.command(line);
    for name in ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"] {
        command.env_remove(name);
    }
    command
}

#[test]
fn profiles_of_the_aliyun_command_work_in_every_mode() {
    let shell = Shell::new("credentials-aliyun");
    let issuer = issuer();
    let printed = json!({"mode": "StsToken", "access_key_id": STS_ID,
        "access_key_secret": STS_SECRET, "sts_token": STS_TOKEN});
    let file = shell.folder.path().join("printed.json");
    fs::write(&file, printed.to_string()).expect("a file");
    let (print, file) = if cfg!(windows) { ("cmd /c type", file) } else { ("cat", file) };
    let config = json!({"current": "ak", "profiles": [
        {"name": "ak", "mode": "AK", "access_key_id": KEY_ID, "access_key_secret": KEY_SECRET},
        {"name": "sts", "mode": "StsToken", "access_key_id": STS_ID,
            "access_key_secret": STS_SECRET, "sts_token": STS_TOKEN},
        {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "live"},
        {"name": "any-ecs", "mode": "EcsRamRole"},
        {"name": "uri", "mode": "CredentialsURI", "credentials_uri": issuer},
        {"name": "external", "mode": "External",
            "process_command": format!("{print} '{}'", file.display())},
        {"name": "sso", "mode": "CloudSSO"},
    ]});
    let folder = shell.folder.path().join(".aliyun");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("config.json"), config.to_string()).expect("a file");
    let listed = |arguments: &str| {
        let mut command = without_keys(&shell, &format!("-v channel list {arguments}"));
        run(command.env("OSSLIVE_ECS_METADATA_ENDPOINT", &issuer), SOON)
    };
    let by_name = format!("--config {} --profile", folder.join("config.json").display());
    for (arguments, words) in [
        (String::new(), format!("the access key {KEY_ID} from ")),
        (format!("{by_name} ak"), format!("the access key {KEY_ID} from the profile")),
        (format!("{by_name} sts"), format!("the access key {STS_ID} from the profile")),
        (format!("{by_name} ecs"), "the ECS role live from the profile".into()),
        (format!("{by_name} any-ecs"), "the ECS instance's role from the profile".into()),
        (format!("{by_name} uri"), "the credentials URI at 127.0.0.1".into()),
        (format!("{by_name} external"), "the command ".into()),
    ] {
        let ran = listed(&arguments);
        assert!(ran.status.success(), "{arguments}: {}", ran.stderr);
        assert!(ran.stderr.contains(&words), "{arguments}: {}", ran.stderr);
        assert!(!ran.stderr.contains(STS_SECRET), "{arguments}: {}", ran.stderr);
    }
    assert!(failed(listed(&format!("{by_name} sso")), 4, "sso").contains("CloudSSO"));
}

#[test]
fn without_keys_the_metadata_service_is_tried_and_then_the_url() {
    let shell = Shell::new("credentials-machine");
    let issuer = issuer();
    let mut command = without_keys(&shell, "-v channel list");
    command.env_remove("ALIBABA_CLOUD_ECS_METADATA_DISABLED");
    command.env("OSSLIVE_ECS_METADATA_ENDPOINT", &issuer);
    let ran = run(&mut command, SOON);
    assert!(ran.status.success(), "{}", ran.stderr);
    assert!(ran.stderr.contains("the ECS instance's role, if there is one"), "{}", ran.stderr);
    command.env("OSSLIVE_ECS_METADATA_ENDPOINT", "http://127.0.0.1:1");
    command.env("ALIBABA_CLOUD_CREDENTIALS_URI", &issuer);
    let ran = run(&mut command, SOON);
    assert!(ran.status.success(), "{}", ran.stderr);
    let mut command = without_keys(&shell, "channel list");
    command.env_remove("ALIBABA_CLOUD_ECS_METADATA_DISABLED");
    command.env("OSSLIVE_ECS_METADATA_ENDPOINT", "http://127.0.0.1:1");
    command.env("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1");
    let message = failed(run(&mut command, SOON), 4, "nothing");
    for words in [
        "no credentials found: OSS_ACCESS_KEY_ID is not set",
        "the ECS instance's role",
        "the credentials URI at 127.0.0.1:1",
        "hint: ",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    let mut command = without_keys(&shell, "publish-url cam");
    command.env("ALIBABA_CLOUD_CREDENTIALS_URI", &issuer);
    assert!(run(&mut command, SOON).stdout.contains(STS_ID));
}
