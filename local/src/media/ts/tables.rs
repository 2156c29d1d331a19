//! The program tables of a transport stream (ISO/IEC 13818-1 section 2.4.4).

use super::track::{Track, Tracks};

/// The PID of the program association table.
pub(super) const PAT_PID: u16 = 0;

/// The PID of the program map table.
pub(super) const PMT_PID: u16 = 0x1000;

/// Returns the program association table, with the one program.
pub(super) fn program_association() -> Vec<u8> {
    let [high, low] = PMT_PID.to_be_bytes();
    section(0, 0, &[0, 1, 0xE0 | high, low])
}

/// Returns the program map table, with the clock reference in `leader`'s packets,
/// which need not be one of the tracks (section 2.4.4.9).
pub(super) fn program_map(tracks: Tracks, leader: Track, version: u8) -> Vec<u8> {
    const H264: u8 = 0x1B;
    const AAC_ADTS: u8 = 0x0F;
    let pid = |track: Track| {
        let [high, low] = track.pid().to_be_bytes();
        [0xE0 | high, low]
    };
    let [high, low] = pid(leader);
    let mut body = vec![high, low, 0xF0, 0];
    let streams = [(tracks.video, H264, Track::Video), (tracks.audio, AAC_ADTS, Track::Audio)];
    for (_, stream_type, track) in streams.into_iter().filter(|(present, ..)| *present) {
        let [high, low] = pid(track);
        body.extend_from_slice(&[stream_type, high, low, 0xF0, 0]);
    }
    section(2, version, &body)
}

/// Returns a section with its checksum (section 2.4.4); the id of both the
/// transport stream and the program is 1.
fn section(table: u8, version: u8, body: &[u8]) -> Vec<u8> {
    let length = 5 + body.len() as u8 + 4;
    let mut section = vec![table, 0xB0, length, 0, 1, 0xC1 | version << 1, 0, 0];
    section.extend_from_slice(body);
    let checksum = crc32(&section);
    section.extend_from_slice(&checksum.to_be_bytes());
    section
}

/// Returns the CRC of annex A.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, &byte: &u8| crc << 8 ^ CRC_TABLE[usize::from((crc >> 24) as u8 ^ byte)];
    bytes.iter().fold(u32::MAX, step)
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_association_is_the_same_as_from_other_muxers() {
        let expected = [0, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xF0, 0, 0x2A, 0xB1, 0x04, 0xB2];
        assert_eq!(program_association(), expected);
    }
}
