//! A server whose responses contain everything that can control or deceive a
//! terminal: every command shows it escaped, wherever in a response it was.

#![cfg(unix)]

mod support;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use support::{Folder, KEY_ID, KEY_SECRET, LONG, REGION, bare, has_script, note, on_terminal, run};

/// Characters that move the cursor, change colors, change the reading direction, or
/// are invisible. XML allows all but the first four.
const HARMFUL: &[char] = &[
    '\u{1b}',
    '\u{8}',
    '\u{7}',
    '\0',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{9d}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{17b4}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{200e}',
    '\u{2028}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2800}',
    '\u{3164}',
    '\u{e000}',
    '\u{fff9}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{e0041}',
    '\u{e0100}',
    '\u{10ffff}',
];

fn hostile(is_xml: bool) -> String {
    let mut text = String::from("owned");
    HARMFUL.iter().skip(if is_xml { 4 } else { 0 }).for_each(|c| text.push(*c));
    if is_xml { text.replace('\u{10ffff}', "&#x10ffff;") } else { text + "\u{1b}]0;title\u{7}" }
}

/// The server's responses.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// The requested result, with hostile values.
    Answer,
    /// An error with hostile text in every part.
    Refuse,
    /// A body of the wrong kind.
    Garble,
}

/// Serves for the duration of the test. Returns its URL.
fn serve(mode: Mode) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", socket.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in socket.incoming().map_while(Result::ok) {
            thread::spawn(move || respond(stream, mode));
        }
    });
    url
}

fn respond(mut stream: TcpStream, mode: Mode) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        reader.by_ref().take(length.unwrap_or(0)).read_to_end(&mut Vec::new())?;
        let request = head.lines().next().unwrap_or_default();
        let (status, body) = match mode {
            Mode::Answer => ("200 OK", good(request)),
            Mode::Refuse => ("403 \u{9b}31mForbidden", refusal()),
            Mode::Garble => ("200 OK", hostile(false)),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nx-oss-request-id: \u{9b}31m\u{202e}\r\nServer: \u{9b}2J\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
}

fn refusal() -> String {
    let text = hostile(true);
    let mut body = String::from("<Error>");
    for name in ["Code", "Message", "RequestId", "HostId", "EC", "Endpoint", "StringToSign"] {
        let _ = write!(body, "<{name}>{text}</{name}>");
    }
    body + "</Error>"
}

fn good(request: &str) -> String {
    let text = hostile(true);
    let time = "2026-11-25T19:30:00.000Z";
    let record = format!(
        "<LiveRecord><StartTime>{time}</StartTime><EndTime>2026-11-25T19:40:00.000Z</EndTime>\
         <RemoteAddr>{text}</RemoteAddr></LiveRecord>"
    );
    let urls = format!(
        "<PublishUrls><Url>rtmp://{text}</Url></PublishUrls><PlayUrls><Url>http://{text}</Url>\
         </PlayUrls>"
    );
    match () {
        () if request.contains("comp=stat") => format!(
            "<LiveChannelStat><Status>Live</Status><ConnectedTime>{time}</ConnectedTime>\
             <RemoteAddr>{text}</RemoteAddr><Video><Width>1</Width><Height>1</Height>\
             <FrameRate>30</FrameRate><Bandwidth>1</Bandwidth><Codec>{text}</Codec></Video>\
             <Audio><Bandwidth>1</Bandwidth><SampleRate>44100</SampleRate><Codec>{text}</Codec>\
             </Audio></LiveChannelStat>"
        ),
        () if request.contains("comp=history") => {
            format!("<LiveChannelHistory>{record}</LiveChannelHistory>")
        }
        () if request.contains("vod") => format!("#EXTM3U\n#{}\n", hostile(false)),
        () if request.starts_with("GET /?") || request.contains("max-keys") => format!(
            "<ListLiveChannelResult><Prefix/><Marker/><MaxKeys>100</MaxKeys>\
             <IsTruncated>false</IsTruncated><LiveChannel><Name>{text}</Name>\
             <Description>{text}</Description><Status>enabled</Status>\
             <LastModified>{time}</LastModified>{urls}</LiveChannel></ListLiveChannelResult>"
        ),
        () if request.starts_with("GET") => format!(
            "<LiveChannelConfiguration><Description>{text}</Description><Status>enabled</Status>\
             <Target><Type>{text}</Type><FragDuration>5</FragDuration><FragCount>3</FragCount>\
             <PlaylistName>{text}.m3u8</PlaylistName></Target></LiveChannelConfiguration>"
        ),
        () => format!("<CreateLiveChannelResult>{urls}</CreateLiveChannelResult>"),
    }
}

fn with_keys(mut command: Command, url: &str) -> Command {
    command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", KEY_SECRET);
    command.env("OSS_REGION", REGION).env("OSS_BUCKET", "live-demo").env("OSS_ENDPOINT", url);
    command
}

/// Every command that shows something from a server.
fn lines(home: &Path) -> Vec<String> {
    let list = home.join("list.csv");
    std::fs::write(&list, "id\none\n").expect("a list");
    let mut lines: Vec<_> = [
        "channel put cam",
        "channel create cam",
        "channel get cam",
        "channel list",
        "channel delete cam",
        "channel disable cam",
        "channel status cam",
        "channel history cam",
        "publish - cam",
        "doctor cam",
        "monitor --once",
        "monitor cam --once",
        "history cam",
        "highlights cam all=..",
        "vod create cam all --last 1h",
        "vod get cam --last 1h",
    ]
    .map(str::to_owned)
    .to_vec();
    lines.push(format!("channel import {}", list.display()));
    lines.push(format!("channel apply {}", list.display()));
    let file = home.join("channels.yaml");
    std::fs::write(&file, "prefix: c\nchannels:\n  cam:\n").expect("a file");
    lines.push(format!("channel apply {} --prune --yes", file.display()));
    lines
}

/// Returns the harmful characters in terminal output.
fn harm(text: &str) -> Vec<char> {
    text.chars().filter(|c| *c != '\n' && (c.is_control() || HARMFUL.contains(c))).collect()
}

/// Removes the cursor movements that redraw a board or a progress bar.
fn without_own_moves(text: &str) -> String {
    let mut rest = text.to_owned();
    for rows in 1..30 {
        rest = rest.replace(&format!("\u{1b}[{rows}A"), "");
    }
    for own in ["\r\u{1b}[2K", "\r\u{1b}[1B", "\u{1b}[2K", "\u{1b}[1B"] {
        rest = rest.replace(own, "");
    }
    rest.replace("\r\n", "\n")
}

#[test]
fn a_hostile_server_cannot_control_a_terminal() {
    let home = Folder::new("hostile-terminal");
    if !has_script() {
        return note("skipped: a hostile server on a terminal (no util-linux script)");
    }
    let mut shown = 0;
    for mode in [Mode::Answer, Mode::Refuse, Mode::Garble] {
        let url = serve(mode);
        for line in lines(home.path()) {
            for options in ["", "-v", "--json"] {
                let line = format!("--no-color {options} {line}");
                let ran = run(&mut with_keys(on_terminal(home.path(), &line), &url), LONG);
                let harm = harm(&without_own_moves(&ran.stdout));
                assert_eq!(harm, [], "{mode:?}: {line}: {:?}", ran.stdout);
                shown += usize::from(ran.stdout.contains("owned"));
            }
        }
    }
    assert!(shown > 60, "the strings are shown, escaped: {shown}");
}

#[test]
fn the_monitor_draws_nothing_that_a_hostile_server_sent() {
    let home = Folder::new("hostile-monitor");
    if !has_script() {
        return note("skipped: the monitor with a hostile server (no util-linux script)");
    }
    for mode in [Mode::Answer, Mode::Refuse] {
        let line = "monitor cam --no-color --interval 1s & sleep 3; kill -INT $!; wait";
        let command = on_terminal(home.path(), line);
        let ran = run(&mut with_keys(command, &serve(mode)), LONG);
        let drawn = without_own_moves(&ran.stdout).replace("^C", "");
        assert!(drawn.contains("CHANNEL") && drawn.contains("owned"), "{mode:?}: {drawn:?}");
        assert_eq!(harm(&drawn), [], "{mode:?}: {drawn:?}");
    }
}

#[test]
fn json_escapes_harmful_characters_and_keeps_the_text() {
    let home = Folder::new("hostile-json");
    let url = serve(Mode::Answer);
    let ran = run(&mut with_keys(bare(home.path(), "--json channel list"), &url), LONG);
    assert_eq!(harm(&ran.stdout), [], "{:?}", ran.stdout);
    let list: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let sent = hostile(true).replace("&#x10ffff;", "\u{10ffff}");
    assert_eq!(list["channels"][0]["description"], sent, "{}", ran.stdout);
}

#[test]
fn a_saved_playlist_is_what_the_server_sent() {
    let home = Folder::new("hostile-playlist");
    let url = serve(Mode::Answer);
    let ran = run(&mut with_keys(bare(home.path(), "vod get cam --last 1h"), &url), LONG);
    assert_eq!(ran.stdout, format!("#EXTM3U\n#{}\n", hostile(false)), "{}", ran.stderr);
}
