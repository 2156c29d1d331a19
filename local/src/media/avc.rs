//! H.264 (ISO/IEC 14496-10) in FLV: the decoder configuration, its sequence
//! parameter set, and access units.

use crate::media::bits::Bits;

/// The start code before each NAL unit in the byte stream format (Annex B).
pub const START_CODE: &[u8] = &[0, 0, 0, 1];

/// An access unit delimiter with its start code; any slice type may follow.
pub const DELIMITER: &[u8] = &[0, 0, 0, 1, 0x09, 0xF0];

/// A generous limit: parameter sets are repeated before each key frame.
const MAX_PARAMETER_SETS: usize = 64 * 1024;

/// The AVC decoder configuration record of ISO/IEC 14496-15 section 5.3.3.1, with
/// updates from parameter sets in the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct AvcConfig {
    /// The size of the length before each NAL unit, 1 to 4 bytes.
    pub nal_length_size: usize,
    /// The sequence parameter sets: NAL units without start codes. There may be
    /// none yet, if the encoder sends them in the stream.
    pub sps: Vec<Vec<u8>>,
    /// The picture parameter sets, likewise.
    pub pps: Vec<Vec<u8>>,
    /// The picture format of the newest sequence parameter set.
    pub picture: Option<Picture>,
}

impl Default for AvcConfig {
    /// Returns the assumed configuration for encoders that send no record.
    fn default() -> Self {
        AvcConfig { nal_length_size: 4, sps: Vec::new(), pps: Vec::new(), picture: None }
    }
}

impl AvcConfig {
    /// Parses a configuration record.
    ///
    /// # Errors
    ///
    /// A message for humans.
    pub fn parse(record: &[u8]) -> Result<Self, &'static str> {
        let [1, _profile, _compatibility, _level, lengths, rest @ ..] = record else {
            return Err("not an AVC configuration of version 1");
        };
        let mut rest = rest;
        let sps = parameter_sets(&mut rest, 0x1F)?;
        let pps = parameter_sets(&mut rest, 0xFF)?;
        if sps.iter().chain(&pps).map(Vec::len).sum::<usize>() > MAX_PARAMETER_SETS {
            return Err("the parameter sets exceed 64 KiB");
        }
        let picture = sps.first().map(|first| Picture::from_sps(first)).transpose()?;
        Ok(AvcConfig { nal_length_size: usize::from(lengths & 3) + 1, sps, pps, picture })
    }

    /// Returns whether a decoder can start with it.
    pub fn is_complete(&self) -> bool {
        self.picture.is_some() && !self.pps.is_empty()
    }

    /// Adds or replaces a parameter set from the stream: a NAL unit of type 7 or 8.
    ///
    /// # Errors
    ///
    /// A message for humans; nothing was changed.
    pub fn update(&mut self, unit: &[u8]) -> Result<(), &'static str> {
        const MALFORMED: &str = "a parameter set in the stream is malformed";
        if self.size() + unit.len() > MAX_PARAMETER_SETS {
            return Err("the parameter sets in the stream exceed 64 KiB");
        }
        let is_sps = nal_type(unit) == 7;
        if is_sps {
            self.picture = Some(Picture::from_sps(unit)?);
        }
        let id = parameter_set_id(unit).ok_or(MALFORMED)?;
        let sets = if is_sps { &mut self.sps } else { &mut self.pps };
        match sets.iter_mut().find(|set| parameter_set_id(set) == Some(id)) {
            Some(set) => unit.clone_into(set),
            None => sets.push(unit.to_vec()),
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.sps.iter().chain(&self.pps).map(Vec::len).sum()
    }

    /// Returns the bytes before the slices of a key frame in the byte stream
    /// format: a delimiter, then all parameter sets.
    pub fn key_frame_prefix(&self) -> Vec<u8> {
        let mut prefix = DELIMITER.to_vec();
        for set in self.sps.iter().chain(&self.pps) {
            prefix.extend_from_slice(START_CODE);
            prefix.extend_from_slice(set);
        }
        prefix
    }
}

/// Returns the id of a parameter set.
fn parameter_set_id(unit: &[u8]) -> Option<u32> {
    let (header, payload) = unit.split_first()?;
    // The id is near the start, whatever the length.
    let payload = without_emulation_prevention(payload.get(..16).unwrap_or(payload));
    let mut bits = Bits::new(&payload);
    if header & 0x1F == 7 {
        bits.read(24)?; // profile, constraint flags and level
    }
    bits.ue()
}

fn parameter_sets(rest: &mut &[u8], count_mask: u8) -> Result<Vec<Vec<u8>>, &'static str> {
    const TRUNCATED: &str = "the AVC configuration is truncated";
    let (count, mut left) = rest.split_first().ok_or(TRUNCATED)?;
    let mut sets = Vec::new();
    for _ in 0..count & count_mask {
        let (length, after) = left.split_first_chunk().ok_or(TRUNCATED)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (set, after) = after.split_at_checked(length).ok_or(TRUNCATED)?;
        if set.is_empty() {
            return Err("the AVC configuration has an empty parameter set");
        }
        sets.push(set.to_vec());
        left = after;
    }
    *rest = left;
    Ok(sets)
}

/// The size and rate of the pictures in a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture {
    /// Width in pixels, after cropping.
    pub width: u32,
    /// Height in pixels, after cropping.
    pub height: u32,
    /// Frames per second, if the stream specifies it.
    pub frame_rate: Option<f64>,
    /// Whether a picture may be presented before one that is decoded earlier.
    pub reorders: bool,
}

impl Picture {
    /// Parses a sequence parameter set (section 7.3.2.1.1), a NAL unit without
    /// its start code.
    ///
    /// # Errors
    ///
    /// A message for humans.
    pub fn from_sps(nal_unit: &[u8]) -> Result<Self, &'static str> {
        match nal_unit.split_first() {
            Some((header, payload)) if header & 0x1F == 7 => {
                sequence_parameter_set(&mut Bits::new(&without_emulation_prevention(payload)))
                    .ok_or("the sequence parameter set is malformed")
            }
            _ => Err("not a sequence parameter set"),
        }
    }
}

/// Reverses section 7.4.1: the 3 of each 0 0 3 is not part of the payload.
fn without_emulation_prevention(payload: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        plain.push(byte);
    }
    plain
}

fn sequence_parameter_set(bits: &mut Bits<'_>) -> Option<Picture> {
    const BASELINE: u32 = 66;
    let profile = bits.read(8)?;
    bits.read(16)?; // constraint flags and level
    bits.ue()?; // id
    let chroma = if has_chroma_format(profile) { chroma_format(bits)? } else { Chroma::YUV_420 };
    bits.ue()?; // log2_max_frame_num_minus4
    let in_order = picture_order(bits)? || profile == BASELINE;
    bits.ue()?; // max_num_ref_frames
    bits.flag()?; // gaps_in_frame_num_value_allowed_flag
    let width = samples(bits.ue()?)?;
    let height_of_field = samples(bits.ue()?)?;
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.flag()?; // mb_adaptive_frame_field_flag
    }
    bits.flag()?; // direct_8x8_inference_flag
    let fields = if frames_only { 1 } else { 2 };
    let crop = cropping(bits)?;
    let cut = |a: u32, b: u32, unit: u32| a.checked_add(b)?.checked_mul(unit);
    let width = width.checked_sub(cut(crop[0], crop[1], chroma.crop_x)?)?;
    let height =
        (height_of_field * fields).checked_sub(cut(crop[2], crop[3], chroma.crop_y * fields)?)?;
    let usability = if bits.flag()? { usability(bits)? } else { Usability::default() };
    let Usability { frame_rate, reordered } = usability;
    let reorders = !in_order && reordered != Some(0);
    (width > 0 && height > 0).then_some(Picture { width, height, frame_rate, reorders })
}

/// Converts macroblocks to samples; no level allows 4096 macroblocks in a row or
/// column.
fn samples(macroblocks_minus_1: u32) -> Option<u32> {
    (macroblocks_minus_1 < 4096).then(|| (macroblocks_minus_1 + 1) * 16)
}

fn has_chroma_format(profile: u32) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

/// How many samples one cropping unit represents, in frames.
struct Chroma {
    crop_x: u32,
    crop_y: u32,
}

impl Chroma {
    const YUV_420: Chroma = Chroma { crop_x: 2, crop_y: 2 };
}

fn chroma_format(bits: &mut Bits<'_>) -> Option<Chroma> {
    let format = bits.ue()?;
    if format == 3 {
        bits.flag()?; // separate_colour_plane_flag
    }
    bits.ue()?; // bit_depth_luma_minus8
    bits.ue()?; // bit_depth_chroma_minus8
    bits.flag()?; // qpprime_y_zero_transform_bypass_flag
    if bits.flag()? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    match format {
        1 => Some(Chroma::YUV_420),
        2 => Some(Chroma { crop_x: 2, crop_y: 1 }),
        0 | 3 => Some(Chroma { crop_x: 1, crop_y: 1 }),
        _ => None,
    }
}

fn skip_scaling_list(bits: &mut Bits<'_>, size: usize) -> Option<()> {
    let (mut last, mut next) = (8i32, 8i32);
    for _ in 0..size {
        if next != 0 {
            next = last.wrapping_add(bits.se()?) & 0xFF;
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

/// Returns whether pictures are presented in decoding order (section 7.4.2.1.1).
fn picture_order(bits: &mut Bits<'_>) -> Option<bool> {
    match bits.ue()? {
        0 => drop(bits.ue()?), // log2_max_pic_order_cnt_lsb_minus4
        1 => {
            bits.flag()?; // delta_pic_order_always_zero_flag
            bits.se()?; // offset_for_non_ref_pic
            bits.se()?; // offset_for_top_to_bottom_field
            let cycle = bits.ue()?;
            for _ in 0..(cycle <= 255).then_some(cycle)? {
                bits.se()?;
            }
        }
        2 => return Some(true),
        _ => return None,
    }
    Some(false)
}

/// Returns left, right, top and bottom, in units of the chroma format.
fn cropping(bits: &mut Bits<'_>) -> Option<[u32; 4]> {
    if !bits.flag()? {
        return Some([0; 4]);
    }
    Some([bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?])
}

/// The fields of the video usability information.
#[derive(Default)]
struct Usability {
    frame_rate: Option<f64>,
    /// How many pictures may be presented before one that is decoded earlier.
    reordered: Option<u32>,
}

/// Parses the video usability information (Annex E.1.1), ignoring a truncated
/// bitstream restriction, which some encoders write.
fn usability(bits: &mut Bits<'_>) -> Option<Usability> {
    let frame_rate = frame_rate(bits)?;
    Some(Usability { frame_rate, reordered: reordered_pictures(bits) })
}

/// Returns `max_num_reorder_frames`, if there is a bitstream restriction.
fn reordered_pictures(bits: &mut Bits<'_>) -> Option<u32> {
    let nal = bits.flag()?;
    if nal {
        skip_hrd(bits)?;
    }
    let vcl = bits.flag()?;
    if vcl {
        skip_hrd(bits)?;
    }
    if nal || vcl {
        bits.flag()?; // low_delay_hrd_flag
    }
    bits.flag()?; // pic_struct_present_flag
    if !bits.flag()? {
        return None;
    }
    bits.flag()?; // motion_vectors_over_pic_boundaries_flag
    bits.ue()?; // max_bytes_per_pic_denom
    bits.ue()?; // max_bits_per_mb_denom
    bits.ue()?; // log2_max_mv_length_horizontal
    bits.ue()?; // log2_max_mv_length_vertical
    bits.ue()
}

/// Skips the parameters of a hypothetical reference decoder (Annex E.1.2).
fn skip_hrd(bits: &mut Bits<'_>) -> Option<()> {
    let count = bits.ue()?;
    bits.read(8)?; // bit_rate_scale, cpb_size_scale
    for _ in 0..=(count < 32).then_some(count)? {
        bits.ue()?; // bit_rate_value_minus1
        bits.ue()?; // cpb_size_value_minus1
        bits.flag()?; // cbr_flag
    }
    bits.read(20)?; // three lengths of delays, time_offset_length
    Some(())
}

/// Returns the frame rate in the video usability information. A frame is two
/// ticks, whether or not it is coded as two fields.
fn frame_rate(bits: &mut Bits<'_>) -> Option<Option<f64>> {
    const EXTENDED_SAR: u32 = 255;
    if bits.flag()? && bits.read(8)? == EXTENDED_SAR {
        bits.read(32)?;
    }
    if bits.flag()? {
        bits.flag()?; // overscan_appropriate_flag
    }
    if bits.flag()? {
        bits.read(4)?; // video_format, video_full_range_flag
        if bits.flag()? {
            bits.read(24)?; // color description
        }
    }
    if bits.flag()? {
        bits.ue()?; // chroma_sample_loc_type_top_field
        bits.ue()?; // chroma_sample_loc_type_bottom_field
    }
    if !bits.flag()? {
        return Some(None);
    }
    let (units, scale) = (bits.read(32)?, bits.read(32)?);
    let _ = bits.flag(); // fixed_frame_rate_flag
    let known = units > 0 && scale > 0;
    Some(known.then(|| f64::from(scale) / (2.0 * f64::from(units))))
}

/// One coded frame: NAL units, each preceded by its length.
///
/// All lengths have been checked, so iterating over the units cannot fail.
#[derive(Debug, Clone, Copy)]
pub struct AccessUnit<'a> {
    units: NalUnits<'a>,
    /// Whether it has any slice; without one there is nothing to present.
    pub has_picture: bool,
    /// Whether it has a slice of an IDR picture.
    pub is_idr: bool,
    /// Whether its first slice is the first of a picture, rather than one that
    /// continues a picture from an earlier message.
    pub begins_picture: bool,
}

impl<'a> AccessUnit<'a> {
    /// Checks the lengths of a frame's NAL units.
    ///
    /// # Errors
    ///
    /// A unit extends past the frame's end.
    pub fn parse(frame: &'a [u8], nal_length_size: usize) -> Result<Self, &'static str> {
        let units = NalUnits { rest: frame, length_size: nal_length_size.clamp(1, 4) };
        let mut access_unit =
            AccessUnit { units, has_picture: false, is_idr: false, begins_picture: true };
        let mut walk = units;
        for unit in walk.by_ref() {
            let kind = nal_type(unit);
            if !access_unit.has_picture && matches!(kind, 1 | 2 | 5) {
                access_unit.begins_picture = begins_picture(unit);
            }
            access_unit.has_picture |= matches!(kind, 1..=5);
            access_unit.is_idr |= kind == 5;
        }
        if walk.rest.is_empty() { Ok(access_unit) } else { Err("a NAL unit is truncated") }
    }

    /// Returns the NAL units without delimiters, since one must come first;
    /// `with_sets` determines whether parameter sets are included.
    pub fn nal_units(&self, with_sets: bool) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.units.filter(move |unit| match nal_type(unit) {
            0 | 9 => false,
            7 | 8 => with_sets,
            _ => true,
        })
    }

    /// Returns the parameter sets among the NAL units.
    pub fn parameter_sets(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.units.filter(|unit| matches!(nal_type(unit), 7 | 8))
    }
}

/// Returns whether first_mb_in_slice (section 7.3.3) is 0, which is coded as a
/// single 1 bit.
fn begins_picture(slice: &[u8]) -> bool {
    slice.get(1).is_none_or(|payload| payload & 0x80 != 0)
}

/// Returns whether bytes start like the byte stream format of Annex B. The format
/// for RTMP may do so too, but only with a NAL unit of one byte.
pub fn is_byte_stream(bytes: &[u8]) -> bool {
    bytes.starts_with(START_CODE) || bytes.starts_with(&START_CODE[1..])
}

/// Returns the type of a NAL unit; 0, an unused type, if it is empty.
fn nal_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 0x1F)
}

#[derive(Debug, Clone, Copy)]
struct NalUnits<'a> {
    rest: &'a [u8],
    length_size: usize,
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, after) = self.rest.split_at_checked(self.length_size)?;
        let length = length.iter().fold(0usize, |value, &byte| value << 8 | usize::from(byte));
        let (unit, rest) = after.split_at_checked(length)?;
        self.rest = rest;
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use h264_reader::nal::sps::SeqParameterSet;
    use h264_reader::rbsp::{BitReader, decode_nal};

    /// Parameter sets written by x264, and its settings.
    #[rustfmt::skip]
    const KINDS: &[(&str, &str, u32, u32, f64)] = &[
        ("Baseline", "6742c016d900a02ff970110000030001000003001e0f162e48", 640, 360, 15.0),
        ("23.976 frames per second", "67640028acd94078065b011000003e90000bb800f1831960", 1920, 800, 24000.0 / 1001.0),
        ("monochrome", "6764000cf3650507ec05b2000003000200000300281e28532c", 320, 240, 10.0),
        ("1080 lines: cropped", "67640028acd940780227e5c044000003000400000300f03c60c658", 1920, 1080, 30.0),
        ("interlaced", "67640028acd94078044fde0220000003002000000643e2c5b2c0", 1920, 1080, 25.0),
        ("29.97, partial macroblocks", "6764000dacd941519e226c04400000fa40003a9803c50a6580", 322, 182, 30000.0 / 1001.0),
        ("4:4:4 of odd size", "67f4000c919b282a37c9118088000003000800000300c078a14cb0", 333, 201, 12.0),
        ("anamorphic, with color description", "6764001eacd940b4126ffc010000b5a808080a000003000200000300641e2c5b2c", 720, 576, 25.0),
        ("scaling matrix, HRD", "6764001facd9405005bb0110000003001000000303c626000f424001e84e4c30078c18cb", 1280, 720, 30.0),
        ("ten bits", "676e001fa6cd9405005bb011000003000100000300300f183196", 1280, 720, 24.0),
        ("4:2:2", "677a0020bcd9405005bb0110000003001000000640f1831960", 1280, 720, 50.0),
        ("4:2:2 interlaced, ten bits", "677a001eb6cd940b47b6022000007d20001d4c03e28532c0", 720, 480, 30000.0 / 1001.0),
        ("4:4:4", "67f4001e919b281485fc7cf808800000030080000019078b16cb", 642, 362, 25.0),
    ];

    fn hex(text: &str) -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(byte).collect()
    }

    fn record(length_size: u8, sps: &[&[u8]], pps: &[&[u8]]) -> Vec<u8> {
        let mut record = vec![1, 0x64, 0, 40, 0xFC | (length_size - 1), 0xE0 | sps.len() as u8];
        let put = |record: &mut Vec<u8>, set: &[u8]| {
            record.extend_from_slice(&(set.len() as u16).to_be_bytes());
            record.extend_from_slice(set);
        };
        sps.iter().for_each(|set| put(&mut record, set));
        record.push(pps.len() as u8);
        pps.iter().for_each(|set| put(&mut record, set));
        record
    }

    /// Returns NAL units with lengths of four bytes.
    fn frame(units: &[&[u8]]) -> Vec<u8> {
        units.iter().flat_map(|u| [&(u.len() as u32).to_be_bytes()[..], u].concat()).collect()
    }

    #[test]
    fn a_reference_decoder_has_at_most_32_buffers() {
        // The number minus one in exponential Golomb code, and then only ones.
        for (start, is_valid) in [([0x04, 0x1F], true), ([0x04, 0x3F], false)] {
            let bytes = [&start[..], &[0xFF; 32]].concat();
            assert_eq!(skip_hrd(&mut Bits::new(&bytes)).is_some(), is_valid);
        }
    }

    #[test]
    fn size_and_rate_are_read_from_every_kind_of_parameter_set() {
        for (kind, sps, width, height, frame_rate) in KINDS {
            let picture = Picture::from_sps(&hex(sps)).expect(kind);
            assert_eq!((picture.width, picture.height), (*width, *height), "{kind}");
            assert!((picture.frame_rate.unwrap() - frame_rate).abs() < 1e-9, "{kind}");
        }
    }

    #[test]
    fn parameter_sets_are_parsed_like_another_parser_does() {
        for (kind, sps, ..) in KINDS {
            let sps = hex(sps);
            let picture = Picture::from_sps(&sps).expect(kind);
            let payload = decode_nal(&sps).unwrap();
            let theirs = SeqParameterSet::from_bits(BitReader::new(&*payload)).expect(kind);
            let size = theirs.pixel_dimensions().unwrap();
            assert_eq!((picture.width, picture.height), size, "{kind}");
            assert_eq!(picture.frame_rate, theirs.fps(), "{kind}");
            let usability = theirs.vui_parameters.and_then(|vui| vui.bitstream_restrictions);
            let reordered = usability.map(|limits| limits.max_num_reorder_frames);
            assert_eq!(picture.reorders, reordered != Some(0), "{kind}");
        }
    }

    /// The bits of a parameter set.
    #[derive(Default)]
    struct Writer(Vec<bool>);

    impl Writer {
        fn bits(&mut self, count: u32, value: u32) {
            self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        }

        fn flag(&mut self, flag: bool) -> bool {
            self.bits(1, flag.into());
            flag
        }

        fn ue(&mut self, value: u32) {
            let length = (value + 1).ilog2();
            self.bits(length, 0);
            self.bits(length + 1, value + 1);
        }

        fn se(&mut self, value: i32) {
            self.ue(if value > 0 { 2 * value as u32 - 1 } else { 2 * value.unsigned_abs() });
        }

        /// Returns the NAL unit, with emulation prevention.
        fn nal_unit(mut self) -> Vec<u8> {
            self.flag(true);
            let (mut unit, mut zeros) = (vec![0x67], 0);
            for byte in self.0.chunks(8) {
                let bit = |at: usize| u8::from(byte.get(at).is_some_and(|bit| *bit)) << (7 - at);
                let byte: u8 = (0..8).map(bit).sum();
                if zeros >= 2 && byte <= 3 {
                    unit.push(3);
                    zeros = 0;
                }
                zeros = if byte == 0 { zeros + 1 } else { 0 };
                unit.push(byte);
            }
            unit
        }
    }

    /// Chooses the values of parameter sets: the same ones in every run.
    struct Choice(u64);

    impl Choice {
        fn below(&mut self, end: u32) -> u32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 33) as u32 % end
        }

        fn flag(&mut self) -> bool {
            self.below(2) == 1
        }
    }

    /// Writes a parameter set with every optional part present or not, section 7.3.2.1.1.
    fn any_parameter_set(choice: &mut Choice) -> Vec<u8> {
        const PROFILES: [u32; 7] = [66, 77, 88, 100, 110, 122, 244];
        let mut set = Writer::default();
        let profile = PROFILES[choice.below(7) as usize];
        set.bits(8, profile);
        set.bits(16, 40);
        set.ue(choice.below(4));
        if profile >= 100 {
            write_chroma_format(&mut set, choice);
        }
        set.ue(choice.below(12));
        let order = choice.below(3);
        set.ue(order);
        match order {
            0 => set.ue(choice.below(12)),
            1 => {
                set.flag(choice.flag());
                set.se(choice.below(20) as i32 - 10);
                set.se(choice.below(20) as i32 - 10);
                let cycle = choice.below(4);
                set.ue(cycle);
                (0..cycle).for_each(|_| set.se(choice.below(20) as i32 - 10));
            }
            _ => {}
        }
        set.ue(choice.below(5));
        set.flag(choice.flag());
        set.ue(1 + choice.below(100));
        set.ue(1 + choice.below(100));
        if !set.flag(choice.flag()) {
            set.flag(choice.flag());
        }
        set.flag(true);
        if set.flag(choice.flag()) {
            (0..4).for_each(|_| set.ue(choice.below(4)));
        }
        if set.flag(choice.flag()) {
            write_usability(&mut set, choice);
        }
        set.nal_unit()
    }

    fn write_chroma_format(set: &mut Writer, choice: &mut Choice) {
        let format = choice.below(4);
        set.ue(format);
        if format == 3 {
            set.flag(choice.flag());
        }
        set.ue(choice.below(3));
        set.ue(choice.below(3));
        set.flag(choice.flag());
        if set.flag(choice.flag()) {
            for list in 0..if format == 3 { 12 } else { 8 } {
                if set.flag(choice.flag()) {
                    write_scaling_list(set, choice, if list < 6 { 16 } else { 64 });
                }
            }
        }
    }

    /// A scale of 0 ends a list early: the rest repeats the last one.
    fn write_scaling_list(set: &mut Writer, choice: &mut Choice, size: u32) {
        let mut last = 8;
        for _ in 0..size {
            let next = choice.below(40) as i32;
            set.se(next - last);
            if next == 0 {
                return;
            }
            last = next;
        }
    }

    /// Annex E.1.1.
    fn write_usability(set: &mut Writer, choice: &mut Choice) {
        if set.flag(choice.flag()) {
            let ratio = if choice.flag() { 255 } else { 1 };
            set.bits(8, ratio);
            set.bits(if ratio == 255 { 32 } else { 0 }, 0x0004_0003);
        }
        if set.flag(choice.flag()) {
            set.flag(choice.flag());
        }
        if set.flag(choice.flag()) {
            set.bits(4, 5 << 1);
            if set.flag(choice.flag()) {
                set.bits(24, 0x01_0101);
            }
        }
        if set.flag(choice.flag()) {
            set.ue(choice.below(6));
            set.ue(choice.below(6));
        }
        if set.flag(choice.flag()) {
            set.bits(32, 1 + choice.below(2000));
            set.bits(32, 1 + choice.below(100_000));
            set.flag(choice.flag());
        }
        let decoders = [choice.flag(), choice.flag()];
        for is_present in decoders {
            if set.flag(is_present) {
                let count = choice.below(4);
                set.ue(count);
                set.bits(8, 0x34);
                for _ in 0..=count {
                    set.ue(choice.below(1000));
                    set.ue(choice.below(1000));
                    set.flag(choice.flag());
                }
                set.bits(20, 0x5_a5a5);
            }
        }
        if decoders.contains(&true) {
            set.flag(choice.flag());
        }
        set.flag(choice.flag());
        if set.flag(choice.flag()) {
            set.flag(choice.flag());
            (0..4).for_each(|_| set.ue(choice.below(17)));
            let reordered = choice.below(3);
            set.ue(reordered);
            set.ue(reordered + choice.below(3));
        }
    }

    #[test]
    fn every_combination_of_optional_parts_is_parsed_like_another_parser_does() {
        let (mut choice, mut compared) = (Choice(0x2545_F491_4F6C_DD1D), 0);
        for _ in 0..4000 {
            let sps = any_parameter_set(&mut choice);
            let payload = decode_nal(&sps).unwrap();
            let Ok(theirs) = SeqParameterSet::from_bits(BitReader::new(&*payload)) else {
                continue;
            };
            let Ok(size) = theirs.pixel_dimensions() else { continue };
            let picture = Picture::from_sps(&sps).unwrap_or_else(|why| panic!("{why}: {sps:02x?}"));
            assert_eq!((picture.width, picture.height), size, "{sps:02x?}");
            assert_eq!(picture.frame_rate, theirs.fps(), "{sps:02x?}");
            let usability = theirs.vui_parameters.as_ref();
            let limits = usability.and_then(|vui| vui.bitstream_restrictions.as_ref());
            let reordered = limits.map(|limits| limits.max_num_reorder_frames);
            let in_order = sps[1] == 66 || format!("{:?}", theirs.pic_order_cnt).contains("Two");
            assert_eq!(picture.reorders, !in_order && reordered != Some(0), "{sps:02x?}");
            compared += 1;
        }
        assert!(compared > 3000, "only {compared} sets were compared");
    }

    /// Writes the beginning of a parameter set, up to the height.
    fn baseline_of_640x352() -> Writer {
        let mut set = Writer::default();
        set.bits(8, 66);
        set.bits(16, 40);
        [0, 0, 2, 1].into_iter().for_each(|value| set.ue(value));
        set.flag(false);
        set.ue(39);
        set.ue(21);
        set
    }

    #[test]
    fn a_clock_without_ticks_has_no_frame_rate() {
        for (units, scale) in [(0, 50), (1, 0), (0, 0)] {
            let mut set = baseline_of_640x352();
            // Frames only, direct inference, no cropping, and only timing in the VUI.
            [true, true, false, true, false, false, false, false, true]
                .into_iter()
                .for_each(|flag| set.bits(1, u32::from(flag)));
            set.bits(32, units);
            set.bits(32, scale);
            set.bits(5, 0);
            let picture = Picture::from_sps(&set.nal_unit()).unwrap();
            assert_eq!((picture.width, picture.height), (640, 352));
            assert_eq!(picture.frame_rate, None, "{units} units, scale {scale}");
        }
    }

    #[test]
    fn a_picture_that_is_cropped_to_nothing_is_refused() {
        // 640x352 in units of two samples: left, right, top, bottom.
        for (crop, is_visible) in [
            ([0, 0, 0, 0], true),
            ([160, 159, 88, 87], true),
            ([160, 160, 0, 0], false),
            ([0, 0, 88, 88], false),
            ([320, 1, 0, 0], false),
        ] {
            let mut set = baseline_of_640x352();
            set.bits(3, 0b111);
            crop.into_iter().for_each(|value| set.ue(value));
            set.flag(false);
            assert_eq!(Picture::from_sps(&set.nal_unit()).is_ok(), is_visible, "{crop:?}");
        }
    }

    #[test]
    fn no_level_allows_more_than_4096_macroblocks_in_a_row() {
        assert_eq!(samples(4095), Some(65_536));
        assert_eq!(samples(4096), None);
        assert_eq!(samples(u32::MAX), None);
    }

    #[test]
    fn reordering_is_determined_by_the_profile_and_the_stream() {
        for (kind, sps, reorders) in [
            ("Baseline", "6742c00dda0507ec0440000003004000000f23c50aa8", false),
            ("High, two B-frames", "6764000dacd94141fb0110000003001000000303c0f1429960", true),
            ("High, no B-frames", "6764000dacb20283f60220000003002000000781e28549", false),
            ("Main, three B-frames", "674d400deca0a0fd8088000003000800000301e078a14cb0", true),
        ] {
            let picture = Picture::from_sps(&hex(sps)).expect(kind);
            assert_eq!(picture.reorders, reorders, "{kind}");
        }
    }

    #[test]
    fn a_truncated_parameter_set_is_refused_or_lacks_only_its_end() {
        for (kind, sps, width, height, _) in KINDS {
            let sps = hex(sps);
            for end in 0..sps.len() {
                if let Ok(picture) = Picture::from_sps(&sps[..end]) {
                    assert_eq!((picture.width, picture.height), (*width, *height), "{kind}");
                }
            }
            assert!(Picture::from_sps(&sps[..8]).is_err(), "{kind}");
        }
    }

    #[test]
    fn a_configuration_contains_parameter_sets_and_the_length_size() {
        let sps = hex(KINDS[0].1);
        let config = AvcConfig::parse(&record(2, &[&sps], &[b"\x68one", b"\x68two"])).unwrap();
        assert_eq!(config.nal_length_size, 2);
        assert_eq!(config.sps, [&sps[..]]);
        assert_eq!(config.pps, [b"\x68one", b"\x68two"]);
        let picture = config.picture.unwrap();
        assert_eq!((picture.width, picture.height), (640, 360));
        assert!(config.is_complete());
        let prefix = [DELIMITER, START_CODE, &sps, START_CODE, b"\x68one", START_CODE, b"\x68two"];
        assert_eq!(config.key_frame_prefix(), prefix.concat());
    }

    #[test]
    fn a_truncated_or_too_long_configuration_is_refused() {
        let sps = &hex(KINDS[0].1)[..];
        let whole = record(4, &[sps], &[b"\x68"]);
        for end in 0..whole.len() {
            assert!(AvcConfig::parse(&whole[..end]).is_err(), "cut at {end}");
        }
        assert!(AvcConfig::parse(&record(4, &[sps], &[b""])).is_err());
        assert!(AvcConfig::parse(&record(4, &[b"\x68"], &[b"\x68"])).is_err());
        let large = [0x68; 40_000];
        assert!(AvcConfig::parse(&record(4, &[sps], &[&large])).is_ok());
        assert!(AvcConfig::parse(&record(4, &[sps], &[&large, &large])).is_err());
    }

    #[test]
    fn a_configuration_may_receive_its_parameter_sets_later() {
        let (sps, other) = (hex(KINDS[0].1), hex(KINDS[3].1));
        for bytes in [record(4, &[], &[]), record(4, &[], &[b"\x68\xCB"])] {
            let mut config = AvcConfig::parse(&bytes).unwrap();
            assert!(!config.is_complete());
            config.update(&sps).unwrap();
            config.update(b"\x68\xCB").unwrap();
            assert!(config.is_complete());
            assert_eq!(
                (&config.sps[..], &config.pps[..]),
                (&[sps.clone()][..], &[b"\x68\xCB".to_vec()][..])
            );
            config.update(&other).unwrap();
            assert_eq!(config.sps, [&other[..]], "it has the same id");
            assert_eq!(config.picture.unwrap().width, 1920);
        }
        assert!(!AvcConfig::parse(&record(4, &[&sps], &[])).unwrap().is_complete());
    }

    #[test]
    fn a_parameter_set_replaces_only_the_one_with_its_id() {
        // Ids 0, 1 and 2, with the codes 1, 010 and 011.
        let mut config = AvcConfig::default();
        for unit in [b"\x68\x80a", b"\x68\x40b", b"\x68\x60c", b"\x68\x40d"] {
            config.update(unit).unwrap();
        }
        assert_eq!(config.pps, [b"\x68\x80a", b"\x68\x40d", b"\x68\x60c"]);
    }

    #[test]
    fn all_parameter_sets_together_are_limited() {
        let sps = &hex(KINDS[0].1)[..];
        let rest = MAX_PARAMETER_SETS - sps.len();
        // With an id, 0 or 1, in the byte after the header.
        let set = |id: u8, length: usize| [&[0x68, id][..], &vec![7; length - 2]].concat();
        let mut config = AvcConfig::default();
        config.update(sps).unwrap();
        config.update(&set(0x80, 40_000)).unwrap();
        assert!(config.update(&set(0x40, rest - 40_000 + 1)).is_err());
        config.update(&set(0x40, rest - 40_000)).unwrap();
        assert_eq!(config.pps.len(), 2);
        let sets = [set(0x80, 40_000), set(0x40, rest - 40_000), set(0x40, rest - 40_000 + 1)];
        assert!(AvcConfig::parse(&record(4, &[sps], &[&sets[0], &sets[1]])).is_ok());
        assert!(AvcConfig::parse(&record(4, &[sps], &[&sets[0], &sets[2]])).is_err());
    }

    #[test]
    fn only_a_sequence_parameter_set_describes_the_picture() {
        let mut unit = hex(KINDS[0].1);
        assert!(Picture::from_sps(&unit).is_ok());
        unit[0] = 0x68;
        assert_eq!(Picture::from_sps(&unit), Err("not a sequence parameter set"));
    }

    #[test]
    fn an_invalid_parameter_set_changes_nothing() {
        let mut config = AvcConfig::default();
        config.update(&hex(KINDS[0].1)).unwrap();
        let before = config.clone();
        let large = [&b"\x68"[..], &[0xFF; 70_000]].concat();
        for unit in [&b"\x68"[..], b"\x67", b"\x67\x42", b"\x68\0\0\0\0\0", &large] {
            assert!(config.update(unit).is_err());
            assert_eq!(config, before);
        }
    }

    #[test]
    fn delimiters_and_parameter_sets_of_an_access_unit_are_skipped() {
        let units = [&b"\x09\xF0"[..], b"\x67s", b"\x68p", b"\x06sei", b"", b"\x65idr", b"\x0C"];
        let frame = frame(&units);
        let unit = AccessUnit::parse(&frame, 4).unwrap();
        assert!(unit.has_picture && unit.is_idr);
        assert!(unit.nal_units(false).eq([&b"\x06sei"[..], b"\x65idr", b"\x0C"]));
        assert!(unit.nal_units(true).eq([
            &b"\x67s"[..],
            b"\x68p",
            b"\x06sei",
            b"\x65idr",
            b"\x0C"
        ]));
        assert!(unit.parameter_sets().eq([&b"\x67s"[..], b"\x68p"]));
        let inter = AccessUnit::parse(b"\x02\x41p", 1).unwrap();
        assert!(inter.has_picture && !inter.is_idr);
        assert!(!AccessUnit::parse(b"\x00\x02\x06s", 2).unwrap().has_picture);
        assert!(!AccessUnit::parse(b"", 4).unwrap().has_picture);
    }

    #[test]
    fn the_first_slice_of_a_picture_is_recognized() {
        let begins = |units: &[&[u8]]| AccessUnit::parse(&frame(units), 4).unwrap().begins_picture;
        assert!(begins(&[b"\x06sei", b"\x65\x88", b"\x65\x04"]));
        assert!(!begins(&[b"\x41\x04"]) && !begins(&[b"\x06sei", b"\x65\x7F"]));
        assert!(begins(&[]) && begins(&[b"\x65"]));
    }

    #[test]
    fn a_truncated_access_unit_is_refused() {
        let frame = frame(&[b"\x65idr"]);
        for end in 1..frame.len() {
            assert!(AccessUnit::parse(&frame[..end], 4).is_err(), "cut at {end}");
        }
        assert!(AccessUnit::parse(&[0xFF; 9], 4).is_err());
    }
}
