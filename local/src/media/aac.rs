//! AAC (ISO/IEC 14496-3) in FLV: the AudioSpecificConfig, and the ADTS header that
//! each frame needs outside of FLV.

use crate::media::bits::Bits;

/// The length of an ADTS header without a checksum.
pub const ADTS_HEADER: usize = 7;

/// Samples of the core coder in one frame.
pub const FRAME_SAMPLES: u32 = 1024;

/// The sampling frequencies that have an index (section 1.6.3.3).
const SAMPLE_RATES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

const SBR: u8 = 5;
const PS: u8 = 29;

/// Why an AudioSpecificConfig cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AacError {
    /// It is malformed.
    Malformed(&'static str),
    /// It describes a kind of AAC that an ADTS header cannot represent; the name is
    /// for humans.
    Unsupported(String),
}

/// The AudioSpecificConfig of section 1.6.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AacConfig {
    /// The core coder's audio object type: 1 Main, 2 LC, 3 SSR, 4 LTP.
    pub object_type: u8,
    /// Samples per second when played, including band replication.
    pub sample_rate: u32,
    /// Samples per second of the core coder; a frame has 1024 of them.
    pub core_sample_rate: u32,
    /// The number of channels when played.
    pub channels: u8,
    rate_index: u8,
    channel_configuration: u8,
}

impl AacConfig {
    /// Parses an AudioSpecificConfig. SBR and PS may be signaled as the object
    /// type or in the backward-compatible extension at the end.
    ///
    /// # Errors
    ///
    /// [`AacError::Malformed`], or [`AacError::Unsupported`] for formats that ADTS
    /// cannot represent.
    pub fn parse(config: &[u8]) -> Result<Self, AacError> {
        // Some encoders send an ADTS header instead.
        if let Some((config, _)) = adts_frame(config) {
            return config.check();
        }
        let fields = Fields::read(&mut Bits::new(config))
            .ok_or(AacError::Malformed("the AAC configuration is malformed"))?;
        fields.check()
    }

    /// Returns the duration of a frame, in whole milliseconds.
    pub fn frame_ms(&self) -> u64 {
        u64::from(FRAME_SAMPLES) * 1000 / u64::from(self.core_sample_rate)
    }

    /// Returns whether frames of both can follow each other, that is, whether they
    /// differ at most in signaling band replication.
    pub fn has_core_of(&self, other: &AacConfig) -> bool {
        let core = |config: &AacConfig| {
            (config.object_type, config.rate_index, config.channel_configuration)
        };
        core(self) == core(other)
    }

    /// Returns the ADTS header (section 1.A.2.2) of a frame of `length` bytes, not
    /// counting the header.
    ///
    /// # Errors
    ///
    /// The frame is too long for the header's 13-bit length.
    pub fn adts_header(&self, length: usize) -> Result<[u8; ADTS_HEADER], &'static str> {
        let total = u16::try_from(length + ADTS_HEADER).ok().filter(|&total| total < 1 << 13);
        let [high, low] = total.ok_or("an AAC frame is longer than ADTS allows")?.to_be_bytes();
        let channels = self.channel_configuration;
        Ok([
            0xFF,
            0xF1, // MPEG-4, no checksum
            (self.object_type - 1) << 6 | self.rate_index << 2 | channels >> 2,
            (channels & 3) << 6 | high >> 3,
            high << 5 | low >> 3,
            low << 5 | 0x1F, // buffer fullness 0x7FF: variable rate
            0xFC,
        ])
    }
}

/// Returns the frames of a message that consists of complete ADTS frames, each with
/// the configuration in its header; FLV requires frames without headers, but some
/// encoders get this wrong.
///
/// A raw frame is never mistaken for one: it would have to start with an end
/// element.
pub fn adts_frames(mut bytes: &[u8]) -> Option<Vec<(AacConfig, &[u8])>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (fields, length) = adts_frame(bytes)?;
        let (frame, rest) = bytes.split_at_checked(length)?;
        // A checksum, if any, follows the header.
        let header = if frame[1] & 1 == 1 { ADTS_HEADER } else { ADTS_HEADER + 2 };
        frames.push((fields.check().ok()?, frame.get(header..)?));
        bytes = rest;
    }
    (!frames.is_empty()).then_some(frames)
}

/// Returns the fields of a frame's ADTS header, and the length of both.
fn adts_frame(bytes: &[u8]) -> Option<(Fields, usize)> {
    let [0xFF, b1, b2, b3, b4, b5, b6, ..] = *bytes else { return None };
    let has_one_block = b6 & 3 == 0;
    if b1 & 0xF6 != 0xF0 || !has_one_block {
        return None;
    }
    let fields = Fields {
        object_type: (b2 >> 6) + 1,
        core_sample_rate: *SAMPLE_RATES.get(usize::from(b2 >> 2 & 15))?,
        channel_configuration: (b2 & 1) << 2 | b3 >> 6,
        short_frames: false,
        sbr_sample_rate: None,
        parametric_stereo: false,
    };
    let length = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
    (length >= ADTS_HEADER).then_some((fields, length))
}

/// The fields of an AudioSpecificConfig, before they are checked.
struct Fields {
    object_type: u8,
    core_sample_rate: u32,
    channel_configuration: u8,
    short_frames: bool,
    sbr_sample_rate: Option<u32>,
    parametric_stereo: bool,
}

impl Fields {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let mut object_type = audio_object_type(bits)?;
        let core_sample_rate = sample_rate(bits)?;
        let channel_configuration = bits.read(4)? as u8;
        let parametric_stereo = object_type == PS;
        let mut sbr_sample_rate = None;
        if matches!(object_type, SBR | PS) {
            sbr_sample_rate = Some(sample_rate(bits)?);
            object_type = audio_object_type(bits)?;
        }
        let mut fields = Fields {
            object_type,
            core_sample_rate,
            channel_configuration,
            short_frames: false,
            sbr_sample_rate,
            parametric_stereo,
        };
        if matches!(object_type, 1..=4) {
            fields.short_frames = bits.flag()?;
            if bits.flag()? {
                bits.read(14)?; // coreCoderDelay
            }
            bits.flag()?; // extensionFlag
            if fields.sbr_sample_rate.is_none() {
                fields.compatible_extension(bits);
            }
        }
        Some(fields)
    }

    /// Reads the extension at the end, which older decoders skip. Other data there
    /// is ignored.
    fn compatible_extension(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        const SBR_SYNC: u32 = 0x2B7;
        const PS_SYNC: u32 = 0x548;
        if bits.read(11)? != SBR_SYNC || audio_object_type(bits)? != SBR || !bits.flag()? {
            return None;
        }
        self.sbr_sample_rate = Some(sample_rate(bits)?);
        self.parametric_stereo = bits.read(11)? == PS_SYNC && bits.flag()?;
        Some(())
    }

    fn check(self) -> Result<AacConfig, AacError> {
        let unsupported = |what: String| Err(AacError::Unsupported(what));
        if !matches!(self.object_type, 1..=4) {
            return unsupported(format!("{} audio", object_type_name(self.object_type)));
        }
        if self.short_frames {
            return unsupported("AAC audio with 960 samples per frame".into());
        }
        let rate = self.core_sample_rate;
        let Some(rate_index) = SAMPLE_RATES.iter().position(|&known| known == rate) else {
            return unsupported(format!("AAC audio at {rate} Hz"));
        };
        let channels = match self.channel_configuration {
            1 if self.parametric_stereo => 2,
            count @ 1..=6 => count,
            7 => 8,
            0 => {
                return unsupported(
                    "AAC audio with channels defined in a program config element".into(),
                );
            }
            other => return unsupported(format!("AAC audio with channel configuration {other}")),
        };
        Ok(AacConfig {
            object_type: self.object_type,
            sample_rate: self.sbr_sample_rate.unwrap_or(rate),
            core_sample_rate: rate,
            channels,
            rate_index: rate_index as u8,
            channel_configuration: self.channel_configuration,
        })
    }
}

fn audio_object_type(bits: &mut Bits<'_>) -> Option<u8> {
    const ESCAPE: u32 = 31;
    match bits.read(5)? {
        ESCAPE => Some(32 + bits.read(6)? as u8),
        object_type => Some(object_type as u8),
    }
}

/// Reads an index into the table, or 15 and the rate itself.
fn sample_rate(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.read(4)? {
        15 => bits.read(24).filter(|&rate| rate > 0),
        index => SAMPLE_RATES.get(index as usize).copied(),
    }
}

fn object_type_name(object_type: u8) -> String {
    match object_type {
        23 => "AAC-LD".into(),
        34 => "MPEG layer 3 in MP4".into(),
        36 => "ALS".into(),
        39 => "AAC-ELD".into(),
        42 => "xHE-AAC (USAC)".into(),
        other => format!("MPEG-4 object type {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(bytes: &[u8]) -> AacConfig {
        AacConfig::parse(bytes).expect("a good configuration")
    }

    fn refusal(bytes: &[u8]) -> String {
        match AacConfig::parse(bytes) {
            Err(AacError::Unsupported(what)) => what,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Parses bits from text, padded with zeros to whole bytes.
    fn bits(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|b| b"01".contains(b)).collect();
        let byte = |chunk: &[u8]| {
            (0..8).fold(0, |value, i| value << 1 | chunk.get(i).map_or(0, |digit| digit - b'0'))
        };
        digits.chunks(8).map(byte).collect()
    }

    #[test]
    fn ordinary_low_complexity_stereo_is_parsed() {
        let aac = config(&[0x12, 0x10]);
        assert_eq!((aac.object_type, aac.sample_rate, aac.channels), (2, 44100, 2));
        let aac = config(&[0x11, 0x90, 0x56, 0xE5, 0x00]); // ffmpeg: 48 kHz, no SBR in the extension
        assert_eq!((aac.sample_rate, aac.core_sample_rate, aac.channels), (48000, 48000, 2));
    }

    #[test]
    fn band_replication_doubles_the_sample_rate_but_not_that_of_the_core() {
        // Object type 5, 22050 Hz, stereo, extension 44100 Hz, core LC.
        let aac = config(&bits("00101 0111 0010 0100 00010 000"));
        assert_eq!((aac.object_type, aac.sample_rate, aac.core_sample_rate), (2, 44100, 22050));
        // The same with the extension: LC, 22050 Hz, then 0x2B7, 5, present, 44100 Hz.
        let aac = config(&bits("00010 0111 0010 000 01010110111 00101 1 0100"));
        assert_eq!((aac.object_type, aac.sample_rate, aac.core_sample_rate), (2, 44100, 22050));
    }

    #[test]
    fn parametric_stereo_plays_two_channels_from_one() {
        let aac = config(&bits("11101 0111 0001 0100 00010 000"));
        assert_eq!((aac.channels, aac.sample_rate), (2, 44100));
        assert_eq!(aac.adts_header(0).unwrap()[3] >> 6, 1, "ADTS has the core's one channel");
        let aac = config(&bits("00010 0111 0001 000 01010110111 00101 1 0100 10101001000 1"));
        assert_eq!((aac.channels, aac.sample_rate), (2, 44100));
    }

    #[test]
    fn one_channel_without_parametric_stereo_stays_one() {
        assert_eq!(config(&bits("00010 0111 0001 000")).channels, 1);
        // Band replication alone, and an extension that does not switch stereo on.
        assert_eq!(config(&bits("00010 0111 0001 000 01010110111 00101 1 0100")).channels, 1);
        let off = bits("00010 0111 0001 000 01010110111 00101 1 0100 10101001000 0");
        assert_eq!(config(&off).channels, 1);
    }

    #[test]
    fn an_extension_needs_its_sync_word_its_type_and_its_flag() {
        for extension in [
            "01010110110 00101 1 0100", // not 0x2B7
            "01010110111 00110 1 0100", // not SBR
            "01010110111 00101 0 0100", // SBR is absent
        ] {
            let aac = config(&bits(&format!("00010 0111 0010 000 {extension}")));
            assert_eq!((aac.sample_rate, aac.core_sample_rate), (22050, 22050), "{extension}");
        }
    }

    #[test]
    fn frames_that_differ_only_in_band_replication_can_follow_each_other() {
        let plain = config(&bits("00010 0111 0010 000"));
        let replicated = config(&bits("00101 0111 0010 0100 00010 000"));
        assert!(plain.has_core_of(&replicated) && replicated.has_core_of(&plain));
        for other in ["00001 0111 0010 000", "00010 0100 0010 000", "00010 0111 0001 000"] {
            assert!(!plain.has_core_of(&config(&bits(other))), "{other}");
        }
    }

    #[test]
    fn an_explicit_sample_rate_is_accepted_if_it_has_an_index() {
        let aac = config(&bits("00010 1111 000000001011101110000000 0010 000"));
        assert_eq!(aac.sample_rate, 48000);
        let odd = bits("00010 1111 000000001001001110101000 0010 000");
        assert_eq!(refusal(&odd), "AAC audio at 37800 Hz");
    }

    #[test]
    fn seven_point_one_is_channel_configuration_seven() {
        let aac = config(&bits("00010 0011 0111 000"));
        assert_eq!(aac.channels, 8);
        let header = aac.adts_header(100).unwrap();
        assert_eq!((header[2] & 1) << 2 | header[3] >> 6, 7);
    }

    #[test]
    fn formats_that_adts_cannot_represent_are_refused_with_their_name() {
        assert_eq!(refusal(&bits("11111 001010 0011 0010 000")), "xHE-AAC (USAC) audio");
        assert_eq!(refusal(&bits("10111 0011 0010 000")), "AAC-LD audio");
        assert_eq!(refusal(&bits("00010 0011 0010 100")), "AAC audio with 960 samples per frame");
        assert!(refusal(&bits("00010 0011 0000 000")).contains("program config element"));
        assert!(refusal(&bits("00010 0011 1100 000")).contains("channel configuration 12"));
    }

    #[test]
    fn an_adts_header_is_equivalent_to_a_configuration() {
        for bytes in [&[0x12, 0x10][..], &[0x11, 0x90], &bits("00010 0011 0111 000")] {
            let aac = config(bytes);
            let mut frame = aac.adts_header(3).unwrap().to_vec();
            assert_eq!(config(&frame), aac);
            frame.extend_from_slice(b"abc");
            assert_eq!(adts_frames(&frame), Some(vec![(aac, &b"abc"[..])]));
            let twice = [&frame[..], &frame].concat();
            assert_eq!(adts_frames(&twice), Some(vec![(aac, &b"abc"[..]); 2]));
            // With a checksum.
            let mut longer = aac.adts_header(5).unwrap().to_vec();
            longer[1] &= 0xFE;
            longer.extend_from_slice(b"\0\0abc");
            assert_eq!(adts_frames(&longer), Some(vec![(aac, &b"abc"[..])]));
        }
    }

    #[test]
    fn anything_but_complete_adts_frames_is_a_raw_frame() {
        let mut frame = config(&[0x12, 0x10]).adts_header(3).unwrap().to_vec();
        frame.extend_from_slice(b"abc");
        for end in 0..frame.len() {
            assert_eq!(adts_frames(&frame[..end]), None);
        }
        frame.push(0);
        assert_eq!(adts_frames(&frame), None);
        assert_eq!(adts_frames(&[0x21; 200]), None);
        assert_eq!(adts_frames(&[0xFF; 200]), None);
    }

    #[test]
    fn long_adts_frames_are_recognized_and_other_bytes_are_not() {
        let aac = config(&[0x12, 0x10]);
        let mut frame = aac.adts_header(8000).unwrap().to_vec();
        frame.extend_from_slice(&[7; 8000]);
        assert_eq!(adts_frames(&frame), Some(vec![(aac, &frame[ADTS_HEADER..])]));
        // Another layer, no sync word, and several blocks.
        for (at, value) in [(1, 0xF3), (1, 0xE1), (6, 0xFD)] {
            let mut other = frame.clone();
            other[at] = value;
            assert_eq!(adts_frames(&other), None, "byte {at}");
        }
    }

    #[test]
    fn a_truncated_configuration_is_malformed() {
        let no_rate = bits("00010 1111 000000000000000000000000 0010 000");
        for bytes in
            [&[][..], &[0x12], &no_rate, &bits("00010 1101 0010 000"), &bits("00010 1111 0000")]
        {
            assert!(matches!(AacConfig::parse(bytes), Err(AacError::Malformed(_))), "{bytes:?}");
        }
    }

    #[test]
    fn the_adts_header_contains_profile_rate_channels_and_length() {
        let header = config(&[0x12, 0x10]).adts_header(371 - ADTS_HEADER).unwrap();
        assert_eq!(header, [0xFF, 0xF1, 0x50, 0x80, 0x2E, 0x7F, 0xFC]);
    }

    #[test]
    fn a_frame_that_is_too_long_for_the_length_field_is_refused() {
        let aac = config(&[0x12, 0x10]);
        assert!(aac.adts_header(8191 - ADTS_HEADER).is_ok());
        assert!(aac.adts_header(8192 - ADTS_HEADER).is_err());
    }
}
