//! The table: the kinds of stream that encoders send, and variations.

use osslive_local::media::aac::AacConfig;

use crate::row::{AUDIO, Expected, PICTURES, Row, VIDEO};
use crate::stream::{Message, Stream};
use crate::support::clip;

/// Another clip, as sent by `ffmpeg` with these options.
fn other(options: &str) -> Stream {
    let source = format!("{PICTURES} {AUDIO} -t 3 {VIDEO} {options} -c:a aac");
    Stream::read(&clip("other", &source))
}

pub fn rows() -> Vec<Row> {
    [
        frame_rates(),
        key_frames(),
        coding(),
        parameter_sets(),
        clocks(),
        jumps(),
        order(),
        audio(),
        audio_packing(),
        tracks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn frame_rates() -> Vec<Row> {
    let rates = [
        "1",
        "5",
        "10",
        "15",
        "24000/1001",
        "24",
        "25",
        "30000/1001",
        "48",
        "50",
        "60000/1001",
        "60",
    ];
    let row = |rate: &&str| {
        let pictures = format!("-f lavfi -i testsrc2=size=160x90:rate={rate}");
        Row::video(
            &format!("{rate} frames/s"),
            Some(&pictures),
            "-bf 2 -force_key_frames expr:gte(t,n_forced*1)",
        )
    };
    let mut rows: Vec<Row> = rates.iter().map(row).collect();
    let pictures = format!("{PICTURES},select='not(mod(n*n\\,7))+not(mod(n\\,30))'");
    rows.push(Row::video("a variable frame rate", Some(&pictures), "-g 15 -fps_mode vfr"));
    rows
}

fn key_frames() -> Vec<Row> {
    let long = |name: &str, seconds: u32, options: &str| {
        let pictures = "-f lavfi -i testsrc2=size=160x90:rate=5";
        Row::of(name, &format!("{pictures} {AUDIO} -t {seconds} {VIDEO} {options} -c:a aac"))
    };
    vec![
        Row::video("all pictures are key frames", None, "-g 1"),
        Row::video("a key frame every 5 pictures", None, "-g 5"),
        Row::video("a key frame every 1.5 s", None, "-g 45 -bf 2"),
        long("a key frame every 4 s", 20, "-g 20"),
        long("a key frame every 8.33 s", 30, "-g 42"),
        long("a key frame every 10 s", 31, "-g 50"),
        long("a key frame every 30 s", 65, "-g 150"),
        long("a key frame every 60 s", 130, "-g 300"),
        long("a single key frame", 130, "-g 9999").rare_key_frames(),
        long("key frames every 1 to 9 s", 40, "-g 9999 -force_key_frames 1,2,4,7,16,18,27,29")
            .rare_key_frames(),
        Row::video("open GOPs", None, "-g 30 -bf 3 -x264-params open-gop=1"),
        Row::video("intra refresh", None, "-g 30 -x264-params intra-refresh=1"),
    ]
}

fn coding() -> Vec<Row> {
    let pixels = |format: &str, profile: &str| {
        let source = format!("{PICTURES} {AUDIO} -t 6 -c:v libx264 -preset ultrafast");
        let coded = format!("{source} -pix_fmt {format} -profile:v {profile} -g 30 -c:a aac");
        Row::of(&format!("{profile} {format}"), &coded)
    };
    let sized = |width: u32, height: u32| {
        let pictures = format!("-f lavfi -i testsrc2=size={width}x{height}:rate=10");
        Row::video(&format!("{width}x{height}"), Some(&pictures), "-g 10").size(width, height)
    };
    vec![
        Row::video("no reordering", None, "-g 30 -bf 0"),
        Row::video(
            "3 B-frames in a pyramid",
            None,
            "-g 60 -bf 3 -x264-params b-pyramid=normal:b-adapt=0",
        ),
        Row::video("8 B-frames", None, "-g 60 -bf 8 -x264-params b-adapt=0"),
        Row::video("zero latency", None, "-g 30 -tune zerolatency"),
        pixels("yuv420p", "baseline"),
        pixels("yuv420p", "main"),
        pixels("yuv420p", "high"),
        pixels("yuv422p", "high422"),
        pixels("yuv444p", "high444"),
        pixels("yuv420p10le", "high10"),
        Row::video(
            "interlaced",
            Some("-f lavfi -i testsrc2=size=160x96:rate=30"),
            "-g 30 -flags +ildct+ilme -x264-params tff=1",
        )
        .size(160, 96),
        Row::video(
            "constant bit rate with HRD",
            None,
            "-g 30 -b:v 500k -x264-params nal-hrd=cbr:vbv-maxrate=500:vbv-bufsize=500",
        ),
        Row::video("access unit delimiters in the stream", None, "-g 30 -x264-params aud=1"),
        Row::video("four slices in a message", None, "-g 30 -x264-params slices=4"),
        Row::video("a message per slice", None, "-g 30 -x264-params slices=4")
            .change(|sent| sent.split(one_slice_each)),
        sized(16, 16),
        sized(322, 182),
        sized(1280, 720),
        Row::video(
            "1920x1080",
            Some("-f lavfi -i testsrc2=size=1920x1080:rate=5"),
            "-g 5 -qp 45 -t 3",
        )
        .size(1920, 1080),
        Row::video(
            "pictures of 100 kB",
            Some("-f lavfi -i nullsrc=size=640x360:rate=10,geq=random(1)*255:128:128"),
            "-g 10 -qp 12 -t 1",
        )
        .size(640, 360),
    ]
}

/// Splits a picture into messages with one slice each; other units stay with the slice
/// that follows them.
fn one_slice_each(message: &Message) -> Vec<Vec<u8>> {
    if !message.is_video() || !message.is_frame() {
        return vec![message.body.clone()];
    }
    let head = &message.body[..5];
    let (mut bodies, mut body) = (Vec::new(), head.to_vec());
    for unit in message.units() {
        body.extend_from_slice(unit);
        if matches!(unit[4] & 0x1F, 1 | 5) {
            bodies.push(std::mem::replace(&mut body, head.to_vec()));
        }
    }
    bodies
}

fn parameter_sets() -> Vec<Row> {
    const REPEATED: &str = "-g 30 -x264-params repeat-headers=1";
    let without_headers = |sent: Stream| sent.only(|m| !(m.is_video() && m.is_header()));
    vec![
        Row::video("parameter sets in each key frame", None, REPEATED),
        Row::video("parameter sets only in key frames", None, REPEATED).change(without_headers),
        Row::video("the header with each key frame", None, "-g 30").change(|sent| {
            let header = sent.0.iter().find(|m| m.is_video() && m.is_header()).cloned();
            let header = header.expect("a header");
            let twice = |m: Message| match m.is_key() {
                true => vec![Message { ms: m.ms, ..header.clone() }, m],
                false => vec![m],
            };
            Stream(sent.0.into_iter().flat_map(twice).collect())
        }),
        Row::video("an encoding change in the stream", None, REPEATED)
            .change(move |sent| {
                sent.then(without_headers(other(&format!("{REPEATED}:cabac=1:bframes=2:ref=4"))))
            })
            .discontinuities(1)
            .jumping(),
        Row::video("a size change with a header", None, "-g 30")
            .change(|sent| sent.then(other("-g 30 -s 320x180")))
            .discontinuities(1)
            .jumping(),
        Row::video("a size change in the stream", None, REPEATED)
            .change(move |sent| {
                sent.then(without_headers(other(&format!("{REPEATED} -s 320x180"))))
            })
            .discontinuities(1)
            .jumping(),
    ]
}

fn clocks() -> Vec<Row> {
    let row = |name: &str, begin: u64| {
        Row::video(name, None, "-g 30 -bf 2").change(move |sent| sent.at(|m| m.ms + begin))
    };
    vec![
        row("a clock that starts at 40 ms", 40),
        row("a clock that starts at one hour", 3_600_000),
        row("a clock that starts at 17,000 s", 17_000_000),
        row("a clock that passes 2^24", (1 << 24) - 3000),
        row("a clock that starts at 2^31", 1 << 31),
        row("a clock that passes 2^31", (1 << 31) - 3000),
        row("a clock that passes 2^32", (1 << 32) - 3000),
        row("a clock that ends at 2^32", (1 << 32) - 7000),
    ]
}

fn jumps() -> Vec<Row> {
    const HOUR: u64 = 3_600_000;
    let row = |name: &str| Row::video(name, None, "-g 30 -bf 2").jumping();
    // At a key frame in the middle, on either track.
    let after = |m: &Message, base: u64| m.ms >= base + 3000;
    vec![
        row("both clocks restart")
            .change(move |sent| sent.at(|m| if after(m, 0) { m.ms - 3000 } else { m.ms + HOUR }))
            .discontinuities(1)
            .losing(0, 6),
        row("both clocks jump ahead by an hour")
            .change(move |sent| sent.at(|m| if after(m, 0) { m.ms + HOUR } else { m.ms }))
            .discontinuities(1)
            .losing(0, 6),
        row("both clocks jump back by 5 s")
            .change(move |sent| sent.at(|m| if after(m, 0) { m.ms } else { m.ms + 5000 }))
            .discontinuities(1)
            .losing(0, 6),
        row("the video clock restarts")
            .change(move |sent| {
                let restarts = |m: &Message| m.is_video() && m.ms >= 3000;
                sent.at(|m| if restarts(m) { m.ms - 3000 } else { m.ms + HOUR })
            })
            .discontinuities(1)
            .losing(0, 6),
        row("the audio clock restarts")
            .change(move |sent| {
                let restarts = |m: &Message| m.is_audio() && m.ms >= 3000;
                sent.at(|m| if restarts(m) { m.ms - 3000 } else { m.ms + HOUR })
            })
            .losing(0, 6),
        row("the tracks' clocks are an hour apart")
            .change(|sent| sent.at(|m| m.ms + if m.is_audio() { HOUR } else { 0 }))
            .losing(0, 6),
        row("the tracks' clocks are six seconds apart")
            .change(|sent| sent.at(|m| m.ms + if m.is_video() { 6000 } else { 0 }))
            .losing(0, 6),
        row("a pause of four seconds")
            .rare_key_frames()
            .discontinuities(1)
            .change(|sent| sent.at(|m| if m.ms >= 3500 { m.ms + 4000 } else { m.ms })),
        row("times that repeat")
            .uneven()
            .change(|sent| sent.at(|m| if m.is_video() { m.ms / 100 * 100 } else { m.ms })),
    ]
}

fn order() -> Vec<Row> {
    let ahead = |video_ms: u64, audio_ms: u64| {
        move |sent: Stream| {
            sent.sorted_by(|m| match m.is_frame() {
                true => m.ms + if m.is_video() { video_ms } else { audio_ms },
                false => 0,
            })
        }
    };
    vec![
        Row::video("audio 1.5 s ahead in the stream", None, "-g 30")
            .change(ahead(1500, 0))
            .losing(0, 2),
        Row::video("video 1.5 s ahead in the stream", None, "-g 30")
            .change(ahead(0, 1500))
            .losing(0, 2),
        Row::video("times that jitter by 8 ms", None, "-g 30")
            .uneven()
            .change(|sent| sent.at(|m| if m.is_video() { m.ms + m.ms * 7 % 9 } else { m.ms })),
        Row::video("negative composition times", None, "-g 60 -bf 3 -x264-params b-adapt=0")
            .change(|sent| {
                sent.map(|m| {
                    if m.is_video() && m.is_frame() {
                        let [c0, c1, c2] = [m.body[2], m.body[3], m.body[4]];
                        let composition = i32::from_be_bytes([0, c0, c1, c2]) - 67;
                        m.body[2..5].copy_from_slice(&composition.to_be_bytes()[1..]);
                    }
                })
            }),
    ]
}

fn audio() -> Vec<Row> {
    let rates = [
        8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200,
        96_000,
    ];
    let mut rows: Vec<Row> = rates
        .iter()
        .map(|rate| Row::audio(&format!("audio at {rate} Hz"), *rate, 1, "-b:a 32k"))
        .collect();
    rows.extend([
        Row::audio("stereo", 48_000, 2, "-b:a 128k"),
        Row::audio("5.1", 48_000, 6, "-b:a 256k"),
        seven_one(),
        Row::audio("audio at 8 kbit/s", 8000, 1, "-b:a 8k"),
        Row::audio("audio at 512 kbit/s", 96_000, 2, "-b:a 512k"),
        he_aac("HE-AAC", "he-aac.aac", None),
        he_aac("HE-AAC declared as such", "he-aac.aac", Some(&[0x2B, 0x92, 0x08, 0x00])),
        he_aac("HE-AAC v2", "he-aac-v2.aac", None),
        he_aac("HE-AAC v2 declared as such", "he-aac-v2.aac", Some(&[0xEB, 0x8A, 0x08, 0x00])),
        with_config("HE-AAC with hierarchical signaling", &[0x2B, 0x92, 0x08, 0x00], 22_050),
        with_config(
            "HE-AAC with backward-compatible signaling",
            &[0x13, 0x90, 0x56, 0xE5, 0xA0],
            22_050,
        ),
    ]);
    rows
}

fn seven_one() -> Row {
    // The channel layout with its own number in AAC.
    let layout = "-af aformat=channel_layouts=7.1";
    let source = format!("-f lavfi -i sine=sample_rate=48000 -t 6 {layout} -c:a aac -b:a 256k");
    let mut row = Row::of("7.1", &source);
    row.expected = Expected { size: None, audio: Some((48_000, 8)) };
    row
}

/// Six seconds of HE-AAC, from an encoder that ffmpeg does not include; with
/// ffmpeg's header for its core, or its own.
fn he_aac(name: &str, file: &str, config: Option<&'static [u8]>) -> Row {
    let row =
        Row::of(name, &format!("-v error -i tests/media/{file} -c:a copy")).change(move |sent| {
            sent.map(|m| {
                if let Some(config) = config.filter(|_| m.is_audio() && m.is_header()) {
                    m.body.truncate(2);
                    m.body.extend_from_slice(config);
                }
            })
        });
    Row { expected: Expected { size: None, audio: Some((44_100, 2)) }, ..row }
}

/// Audio whose header describes more than its core: ADTS does not announce what
/// only the decoder finds in the frames.
fn with_config(name: &str, config: &'static [u8], rate: u32) -> Row {
    Row::audio(name, rate, 2, "").change(|sent| {
        sent.map(|m| {
            if m.is_audio() && m.is_header() {
                m.body.truncate(2);
                m.body.extend_from_slice(config);
            }
        })
    })
}

fn audio_packing() -> Vec<Row> {
    let config = AacConfig::parse(&[0x12, 0x08]).expect("44.1 kHz, mono");
    let header = move |frame: &[u8]| config.adts_header(frame.len()).expect("a short frame");
    let in_adts = move |m: &mut Message| {
        if m.is_audio() && m.is_frame() {
            let frame = m.body.split_off(2);
            m.body.extend_from_slice(&header(&frame));
            m.body.extend_from_slice(&frame);
        }
    };
    let without_headers = |sent: Stream| sent.only(|m| !(m.is_audio() && m.is_header()));
    let mut several = Row::new("three ADTS frames in a message").change(move |sent| {
        let mut number = 0;
        let sent = sent.map(in_adts);
        let mut gathered: Vec<Message> = Vec::new();
        let mut last: Option<usize> = None;
        for message in sent.0 {
            let joins = message.is_audio() && message.is_frame();
            match last.filter(|_| joins && number % 3 != 0) {
                Some(at) => gathered[at].body.extend_from_slice(&message.body[2..]),
                None => {
                    last = if joins { Some(gathered.len()) } else { last };
                    gathered.push(message);
                }
            }
            number += usize::from(joins);
        }
        Stream(gathered)
    });
    several.audio_frames =
        Some(Stream::read(&clip("several", &several.source)).audio_frames(false));
    vec![
        Row::new("ADTS headers in the messages").change(move |sent| sent.map(in_adts)),
        Row::new("only ADTS headers").change(move |sent| without_headers(sent.map(in_adts))),
        several,
        Row::new("a sample rate change")
            .change(|sent| sent.then(other("-g 30 -ar 48000")))
            .discontinuities(1)
            .jumping(),
    ]
}

fn tracks() -> Vec<Row> {
    let audio_from = |from: u64, to: u64| {
        move |sent: Stream| {
            sent.only(|m| !m.is_audio() || m.is_header() || (from..to).contains(&m.ms))
        }
    };
    vec![
        Row::of("video only", &format!("{PICTURES} -t 6 {VIDEO} -g 30 -bf 2")).silent(),
        Row::new("an audio header without audio").change(audio_from(0, 0)).silent(),
        Row::new("audio from 3.2 s on")
            .silent()
            .change(audio_from(3200, 9000))
            .noted("New audio stream")
            .discontinuities(1)
            .losing(0, 40),
        Row::new("audio until 3.2 s").change(audio_from(0, 3200)).discontinuities(1),
        Row::of("audio pauses", &format!("{PICTURES} {AUDIO} -t 12 {VIDEO} -g 30 -c:a aac"))
            .change(|sent| sent.only(|m| !m.is_audio() || !(3200..8200).contains(&m.ms)))
            .discontinuities(2)
            .losing(0, 44),
        Row::new("video from 3 s on")
            .late_video()
            .change(|sent| sent.only(|m| !m.is_video() || m.is_header() || m.ms >= 3000))
            .noted("New video stream")
            .discontinuities(1),
        Row::new("video until 3 s")
            .discontinuities(1)
            .change(|sent| sent.only(|m| !m.is_video() || m.ms < 3000)),
        Row::new("no metadata").change(|sent| sent.only(|m| m.is_frame() || m.is_header())),
        Row::new("half a second").change(|sent| sent.only(|m| m.ms < 500)),
        Row::new("a sixth of a second").change(|sent| sent.only(|m| m.ms < 167)),
    ]
}
