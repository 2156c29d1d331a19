//! Reads the tags of an FLV file or pipe of any length, with only one tag in
//! memory (Adobe Flash Video File Format 10.1, annex E.2 to E.4).

use super::{Tag, TagKind};
use std::io::{self, ErrorKind, Read};

/// Reads tags in order. Tags of unknown types are skipped, and after an error
/// there are no more.
///
/// ```
/// use osslive_local::media::flv::{Reader, TagKind};
///
/// let file = b"FLV\x01\x05\0\0\0\x09\0\0\0\0\x08\0\0\x01\0\0\x28\0\0\0\0!\0\0\0\x0c";
/// for tag in Reader::new(&file[..])? {
///     let tag = tag?;
///     assert_eq!((tag.kind, tag.timestamp, &tag.body[..]), (TagKind::Audio, 40, &b"!"[..]));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    position: u64,
    is_over: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// `InvalidData` if the source does not start like FLV.
    pub fn new(mut source: R) -> io::Result<Self> {
        // Signature, version, flags, offset of the body, and then the size of
        // the tag before the first.
        let mut header = [0; 9];
        let no_flv = || io::Error::new(ErrorKind::InvalidData, "not an FLV version 1 file");
        source.read_exact(&mut header).map_err(|error| end_or(error, no_flv()))?;
        let [b'F', b'L', b'V', 1, _, offset @ ..] = header else { return Err(no_flv()) };
        let rest = u64::from(u32::from_be_bytes(offset)).saturating_sub(9) + 4;
        io::copy(&mut source.by_ref().take(rest), &mut io::sink())?;
        Ok(Reader { source, position: 9 + rest, is_over: false })
    }

    fn read_tag(&mut self) -> io::Result<Option<Tag>> {
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
            // A tag ends with its size; in a truncated file the last may be missing.
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

/// `UnexpectedEof` means that the source ends within a tag.
impl<R: Read> Iterator for Reader<R> {
    type Item = io::Result<Tag>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let tag = self.read_tag().transpose();
        self.is_over = !matches!(tag, Some(Ok(_)));
        tag
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
        Reader::new(file)?.collect()
    }

    #[test]
    fn tags_come_in_order_with_32_bit_timestamps() {
        let tags = [tag(9, 0x0102_0304, b"pic"), tag(8, u32::MAX, b""), tag(18, 0, b"data")];
        assert_eq!(
            read(&[HEADER, &tags.concat()].concat()).unwrap(),
            [
                Tag { kind: TagKind::Video, timestamp: 0x0102_0304, body: b"pic".into(), end: 31 },
                Tag { kind: TagKind::Audio, timestamp: u32::MAX, body: Vec::new(), end: 46 },
                Tag { kind: TagKind::Script, timestamp: 0, body: b"data".into(), end: 65 },
            ]
        );
    }

    /// A source whose reads fail once they reach a position.
    struct Failing<'a>(&'a [u8], Vec<(usize, ErrorKind)>);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.1.first() {
                Some((left, kind)) if self.0.len() <= *left => {
                    let kind = *kind;
                    self.1.remove(0);
                    Err(kind.into())
                }
                _ => self.0.read(buffer),
            }
        }
    }

    #[test]
    fn interrupted_reads_are_retried_and_other_errors_are_reported() {
        let file = [HEADER, &tag(9, 0, b"pic")].concat();
        let left = file.len() - HEADER.len();
        let interrupted = vec![(left, ErrorKind::Interrupted); 2];
        let tags: Vec<_> = Reader::new(Failing(&file, interrupted)).unwrap().collect();
        assert!(matches!(&tags[..], [Ok(Tag { timestamp: 0, .. })]), "{tags:?}");
        let failing = vec![(left, ErrorKind::ConnectionReset)];
        let first = Reader::new(Failing(&file, failing)).unwrap().next().unwrap();
        assert_eq!(first.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    #[test]
    fn tags_of_unknown_types_are_skipped() {
        let file = [HEADER, &tag(15, 0, b"?"), &tag(8, 5, b"a"), &tag(0x29, 6, b"encrypted")];
        let tags = read(&file.concat()).unwrap();
        assert_eq!(tags, [Tag { kind: TagKind::Audio, timestamp: 5, body: b"a".into(), end: 45 }]);
    }

    #[test]
    fn a_longer_header_is_skipped() {
        let file = [b"FLV\x01\x05\0\0\0\x0b..\0\0\0\0".as_slice(), &tag(8, 0, b"a")].concat();
        assert_eq!(read(&file).unwrap().len(), 1);
    }

    #[test]
    fn other_formats_are_refused() {
        for file in [
            &b""[..],
            b"FLV",
            b"GIF89a.......",
            b"FLV\x02\x05\0\0\0\x09\0\0\0\0",
            b"\x1aE\xdf\xa3 matroska ",
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(Reader::new(file).unwrap_err().kind(), ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_truncated_file_yields_its_complete_tags_and_then_one_error() {
        let whole = [HEADER, &tag(9, 0, b"one"), &tag(9, 40, b"two")].concat();
        for end in whole.len() - 4 - 3 - 10..whole.len() - 4 {
            let tags: Vec<_> = Reader::new(&whole[..end]).unwrap().collect();
            assert_eq!(tags.len(), 2, "cut at {end}");
            assert!(tags[0].is_ok());
            assert_eq!(tags[1].as_ref().unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
        assert_eq!(
            read(&whole[..whole.len() - 4]).unwrap().len(),
            2,
            "only the final size is missing"
        );
        assert_eq!(read(b"FLV\x01\x05\xFF\xFF\xFF\xFF\0\0\0\0").unwrap(), []);
    }
}
