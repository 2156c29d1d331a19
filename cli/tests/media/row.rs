//! A row of the table: the stream that is sent, and the expected recording.

use crate::stream::Stream;

/// A kind of stream.
pub struct Row {
    pub name: String,
    /// The ffmpeg arguments that create the clip.
    pub source: String,
    /// How the clip is changed before it is sent.
    pub change: Box<dyn Fn(Stream) -> Stream + Send + Sync>,
    pub expected: Expected,
    /// The number of discontinuities that it requires.
    pub discontinuities: usize,
    /// The number of frames that may be lost.
    pub lost_pictures: usize,
    pub lost_audio_frames: usize,
    /// The number of audio frames sent, if messages contain several.
    pub audio_frames: Option<usize>,
    /// Whether audio before the first picture counts.
    pub all_audio: bool,
    /// Whether pictures are presented at the intervals at which they were sent.
    pub keeps_intervals: bool,
    /// The message that players rightly print about such a stream.
    pub noted: &'static str,
    /// Whether pictures are unevenly spaced, for which players need an option.
    pub is_uneven: bool,
    /// Whether key frames are too rare for every fragment to begin with one.
    pub cuts_between_key_frames: bool,
}

/// What is recorded.
#[derive(Clone, Copy, Default)]
pub struct Expected {
    /// Width and height.
    pub size: Option<(u32, u32)>,
    /// Samples per second, and channels.
    pub audio: Option<(u32, u32)>,
}

/// Six seconds of video.
pub const PICTURES: &str = "-f lavfi -i testsrc2=size=160x90:rate=30";
/// And audio.
pub const AUDIO: &str = "-f lavfi -i sine=frequency=440:sample_rate=44100";
/// The video encoding, unless a row changes it.
pub const VIDEO: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

impl Row {
    /// Video at 30 frames/s with a key frame per second, and audio.
    pub fn new(name: &str) -> Row {
        Row::of(name, &format!("{PICTURES} {AUDIO} -t 6 {VIDEO} -g 30 -c:a aac"))
    }

    /// Created by ffmpeg with these arguments.
    pub fn of(name: &str, source: &str) -> Row {
        Row {
            name: name.to_owned(),
            source: source.to_owned(),
            change: Box::new(|stream| stream),
            expected: Expected { size: Some((160, 90)), audio: Some((44_100, 1)) },
            discontinuities: 0,
            lost_pictures: 0,
            // Audio that was sent before the first picture, and plays before it.
            lost_audio_frames: 2,
            audio_frames: None,
            all_audio: false,
            keeps_intervals: true,
            noted: "",
            is_uneven: false,
            cuts_between_key_frames: false,
        }
    }

    /// Video encoded with these options, optionally from other pictures.
    pub fn video(name: &str, pictures: Option<&str>, options: &str) -> Row {
        let pictures = pictures.unwrap_or(PICTURES);
        Row::of(name, &format!("{pictures} {AUDIO} -t 6 {VIDEO} {options} -c:a aac"))
    }

    /// Audio only, with these options.
    pub fn audio(name: &str, rate: u32, channels: u32, options: &str) -> Row {
        let source = "-f lavfi -i sine=frequency=440:sample_rate=48000 -t 6";
        let coded = format!("{source} -c:a aac -ar {rate} -ac {channels} {options}");
        let expected = Expected { size: None, audio: Some((rate, channels)) };
        Row { expected, ..Row::of(name, &coded) }
    }

    pub fn change(mut self, change: impl Fn(Stream) -> Stream + Send + Sync + 'static) -> Row {
        self.change = Box::new(change);
        self
    }

    pub fn size(mut self, width: u32, height: u32) -> Row {
        self.expected.size = Some((width, height));
        self
    }

    pub fn silent(mut self) -> Row {
        self.expected.audio = None;
        self
    }

    pub fn discontinuities(mut self, count: usize) -> Row {
        self.discontinuities = count;
        self
    }

    /// Frames may be lost.
    pub fn losing(mut self, pictures: usize, audio_frames: usize) -> Row {
        (self.lost_pictures, self.lost_audio_frames) = (pictures, audio_frames);
        self
    }

    /// The intervals between pictures differ from those sent: the clock jumps.
    pub fn jumping(mut self) -> Row {
        self.keeps_intervals = false;
        self
    }

    /// The audio before the first picture is recorded too, and ffprobe only
    /// examines audio.
    pub fn late_video(mut self) -> Row {
        self.expected.size = None;
        self.all_audio = true;
        self
    }

    /// Players print lines with these words about it.
    pub fn noted(mut self, words: &'static str) -> Row {
        self.noted = words;
        self
    }

    pub fn uneven(mut self) -> Row {
        self.is_uneven = true;
        self
    }

    pub fn rare_key_frames(mut self) -> Row {
        self.cuts_between_key_frames = true;
        self
    }
}
