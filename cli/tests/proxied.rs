//! The endpoint behind nginx: the page responds only to those who know its token,
//! however the proxy is configured, and playback works.
//!
//! Without nginx, this is reported as skipped; with `CI` set, it fails.
//! `tests/real/setup.sh` installs it.

mod support;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use support::{Channel, Endpoint, Folder, Program, get, nginx, wait_until};

/// Ways to configure a proxy, as `location` blocks.
const PLAIN: &str = "";
const FORWARDS_CLIENT: &str = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
const FORWARDS_HOST: &str = "proxy_set_header Host $http_host;";
const RECOMMENDED: &str = "proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;";
/// Nothing in such a request reveals a proxy.
const UNDETECTABLE: &str = "proxy_http_version 1.1;
    proxy_set_header Connection \"\";";

/// nginx in front of an endpoint, on a free port.
struct Proxy {
    _nginx: Program,
    url: String,
}

impl Proxy {
    fn start(program: &std::path::Path, folder: &Folder, endpoint: &Endpoint, how: &str) -> Proxy {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = free.expect("a free port");
        let folder = folder.path().join(format!("nginx-{}", address.port()));
        fs::create_dir_all(&folder).expect("a folder for nginx");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
            .concat();
        let configuration = format!(
            "daemon off;
            master_process off;
            pid {0}/pid;
            error_log {0}/error.log;
            events {{}}
            http {{
                access_log off;
                {temporary}
                server {{
                    listen {address};
                    location / {{
                        proxy_pass {1};
                        {how}
                    }}
                }}
            }}",
            folder.display(),
            endpoint.url
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).expect("a configuration");
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).arg("-e").arg(folder.join("start.log"));
        let mut nginx = Program::start(&mut command);
        wait_until("nginx listens", || {
            assert!(
                nginx.is_running(),
                "nginx ended: {:?}",
                fs::read_to_string(folder.join("start.log"))
            );
            (TcpStream::connect(address).is_ok(), address)
        });
        Proxy { _nginx: nginx, url: format!("http://{address}") }
    }

    fn status(&self, target: &str) -> u16 {
        get(&format!("{}{target}", self.url)).0
    }
}

/// The targets of the page at the endpoint's address, without and with its token.
struct Page {
    closed: Vec<String>,
    open: Vec<String>,
}

impl Page {
    fn of(endpoint: &Endpoint) -> Page {
        let url = endpoint.page_url();
        let token = url.split_once("token=").expect("a token").1;
        let below = |folder: &str| {
            ["", "app.js", "api/channels", "api/publish-url?bucket=live-demo&channel=cam"]
                .map(|path| format!("/_osslive/{folder}{path}"))
        };
        let guess = "x".repeat(token.len());
        let mut closed = Vec::from(below(""));
        closed.extend(below(&format!("{guess}/")));
        closed.extend([format!("/_osslive/?token={guess}"), "/_osslive".into()]);
        Page { closed, open: Vec::from(below(&format!("{token}/"))) }
    }
}

#[test]
fn the_page_rejects_everyone_behind_a_proxy() {
    let Some(program) = nginx("the page behind a proxy") else { return };
    let folder = Folder::new("proxied");
    let data = folder.path().join("data");
    let endpoint = Endpoint::start_with(&data, &["--domain", "stream.example"]);
    Channel::create(&endpoint.client(), "cam");
    let page = Page::of(&endpoint);
    for how in [PLAIN, FORWARDS_CLIENT, FORWARDS_HOST, RECOMMENDED] {
        let proxy = Proxy::start(&program, &folder, &endpoint, how);
        for target in page.closed.iter().chain(&page.open) {
            assert_eq!(proxy.status(target), 403, "{target} behind {how:?}");
        }
    }
    let unseen = Proxy::start(&program, &folder, &endpoint, UNDETECTABLE);
    for target in &page.closed {
        assert_eq!(unseen.status(target), 403, "{target}: only the token protects it");
    }
    // Without the proxy, the token opens it.
    for target in &page.open {
        assert_eq!(get(&format!("{}{target}", endpoint.url)).0, 200, "{target}");
    }
}

#[test]
fn a_public_page_still_requires_its_token_through_a_proxy() {
    let Some(program) = nginx("an open page behind a proxy") else { return };
    let folder = Folder::new("proxied-open");
    let data = folder.path().join("data");
    let endpoint = Endpoint::start_with(&data, &["--remote-page"]);
    Channel::create(&endpoint.client(), "cam");
    let page = Page::of(&endpoint);
    for how in [PLAIN, FORWARDS_CLIENT, RECOMMENDED, UNDETECTABLE] {
        let proxy = Proxy::start(&program, &folder, &endpoint, how);
        for target in &page.closed {
            assert_eq!(proxy.status(target), 403, "{target} behind {how:?}");
        }
        for target in &page.open {
            assert_eq!(proxy.status(target), 200, "{target} behind {how:?}");
        }
    }
}

#[test]
fn playback_works_through_a_proxy_and_a_disabled_page_does_not() {
    let Some(program) = nginx("playback behind a proxy") else { return };
    let folder = Folder::new("proxied-playback");
    let endpoint = Endpoint::start_with(&folder.path().join("data"), &["--no-page"]);
    let channel = Channel::create(&endpoint.client(), "cam");
    osslive_local::push::push_flv(
        &channel.publish_url(),
        include_bytes!("../assets/clip.flv"),
        osslive_local::push::PushOptions::default(),
        &mut |_| true,
    )
    .expect("the clip is published");
    channel.wait_idle();
    let play = channel.play_url("playlist.m3u8");
    let target = play.strip_prefix(&endpoint.url).expect("a URL of the endpoint");
    for how in [PLAIN, RECOMMENDED, UNDETECTABLE] {
        let proxy = Proxy::start(&program, &folder, &endpoint, how);
        assert_eq!(proxy.status(target), 200, "behind {how:?}");
        for target in ["/_osslive/", "/_osslive/?token=", "/_osslive/app.js"] {
            assert_eq!(proxy.status(target), 400, "no bucket can have this name: {target}");
        }
    }
}
