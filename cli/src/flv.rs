//! FLV as it comes out of a file or a pipe, tag by tag: as long as it likes,
//! in the memory of one tag.

use osslive_local::media::flv::{self, TagKind};
use std::io::{self, ErrorKind, Read};

/// A tag with a body of its own.
#[derive(Debug, PartialEq)]
pub(crate) struct Tag {
    pub(crate) kind: TagKind,
    /// Milliseconds, modulo 2^32.
    pub(crate) timestamp: u32,
    pub(crate) body: Vec<u8>,
    /// Bytes in the file, up to the end of this tag.
    pub(crate) end: u64,
}

/// Whether a tag holds a decoder's configuration, which has no time of its own.
pub(crate) fn is_header(tag: &Tag) -> bool {
    let Tag { kind, timestamp, ref body, .. } = *tag;
    flv::Tag { kind, timestamp, body }.is_header()
}

/// Reads tags in order. Those of unknown types are passed over.
pub(crate) struct Reader<R> {
    source: R,
    position: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    pub(crate) fn new(mut source: R) -> io::Result<Self> {
        // Signature, version, flags, offset of the body (Adobe Flash Video
        // File Format 10.1, annex E.2), and the size of no tag.
        let mut header = [0; 9];
        let no_flv = || io::Error::new(ErrorKind::InvalidData, "not an FLV version 1 file");
        source.read_exact(&mut header).map_err(|error| end_or(error, no_flv()))?;
        let [b'F', b'L', b'V', 1, _, offset @ ..] = header else { return Err(no_flv()) };
        let rest = u64::from(u32::from_be_bytes(offset)).saturating_sub(9) + 4;
        io::copy(&mut source.by_ref().take(rest), &mut io::sink())?;
        Ok(Reader { source, position: 9 + rest })
    }

    /// The next tag; none at the end.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the source ends within a tag.
    pub(crate) fn next(&mut self) -> io::Result<Option<Tag>> {
        loop {
            let Some([kind, s0, s1, s2, t0, t1, t2, t3, ..]) = self.tag_header()? else {
                return Ok(None);
            };
            let size = u64::from(u32::from_be_bytes([0, s0, s1, s2]));
            let mut body = Vec::new();
            let read = self.source.by_ref().take(size).read_to_end(&mut body)? as u64;
            if read < size {
                return Err(truncated());
            }
            // The size of the tag closes it; a broken-off file lacks the last.
            let closing = io::copy(&mut self.source.by_ref().take(4), &mut io::sink())?;
            self.position += 11 + size + closing;
            let kind = match kind {
                8 => TagKind::Audio,
                9 => TagKind::Video,
                18 => TagKind::Script,
                _ => continue,
            };
            let timestamp = u32::from_be_bytes([t3, t0, t1, t2]);
            return Ok(Some(Tag { kind, timestamp, body, end: self.position }));
        }
    }

    fn tag_header(&mut self) -> io::Result<Option<[u8; 11]>> {
        let mut header = [0; 11];
        let mut filled = 0;
        while filled < header.len() {
            match self.source.read(&mut header[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(truncated()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(header))
    }
}

fn truncated() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "unexpected end of file in an FLV tag")
}

fn end_or(error: io::Error, end: io::Error) -> io::Error {
    if error.kind() == ErrorKind::UnexpectedEof { end } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";

    fn tag(kind: u8, timestamp: u32, body: &[u8]) -> Vec<u8> {
        let [t3, t0, t1, t2] = timestamp.to_be_bytes();
        let mut tag = vec![kind, 0, 0, body.len() as u8, t0, t1, t2, t3, 0, 0, 0];
        tag.extend_from_slice(body);
        tag.extend_from_slice(&(11 + body.len() as u32).to_be_bytes());
        tag
    }

    fn read(file: &[u8]) -> io::Result<Vec<Tag>> {
        let mut reader = Reader::new(file)?;
        let mut tags = Vec::new();
        while let Some(tag) = reader.next()? {
            tags.push(tag);
        }
        Ok(tags)
    }

    #[test]
    fn tags_come_in_order_and_unknown_ones_are_passed_over() {
        let file = [HEADER, &tag(9, 0x0102_0304, b"pic"), &tag(1, 0, b"?"), &tag(8, 40, b"")];
        let tags = read(&file.concat()).unwrap();
        assert_eq!(
            tags,
            [
                Tag { kind: TagKind::Video, timestamp: 0x0102_0304, body: b"pic".into(), end: 31 },
                Tag { kind: TagKind::Audio, timestamp: 40, body: Vec::new(), end: 62 },
            ]
        );
    }

    #[test]
    fn a_longer_header_is_passed_over() {
        let file = [b"FLV\x01\x05\0\0\0\x0b..\0\0\0\0".as_slice(), &tag(8, 0, b"a")].concat();
        assert_eq!(read(&file).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_flv_or_is_broken_off_says_so() {
        for file in [&b""[..], b"FLV", b"GIF89a.......", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
            assert_eq!(read(file).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        let whole = [HEADER, &tag(9, 0, b"picture")].concat();
        for cut in [HEADER.len() + 5, whole.len() - 5] {
            assert_eq!(read(&whole[..cut]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
        assert_eq!(read(&whole[..whole.len() - 4]).unwrap().len(), 1, "only the closing size");
    }
}
