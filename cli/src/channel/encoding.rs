//! Decodes text files in the encodings that spreadsheets write.

/// Returns the text with `\n` as line ending, or the line number of the first
/// invalid byte and what is wrong with it. A byte order mark determines the
/// encoding; the default is UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<String, (u64, String)> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }?;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    match text.find(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
        None => Ok(text),
        Some(at) => {
            let code = text[at..].chars().next().map_or(0, u32::from);
            Err((line(&text[..at]), format!("control character U+{code:04X}")))
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<String, (u64, String)> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        (line(&before), "neither UTF-8 nor UTF-16 with a byte order mark".to_owned())
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, (u64, String)> {
    let mut text = String::new();
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    for c in char::decode_utf16(units) {
        match c {
            Ok(c) => text.push(c),
            Err(_) => return Err((line(&text), "not UTF-16".to_owned())),
        }
    }
    match bytes.len() % 2 {
        0 => Ok(text),
        _ => Err((line(&text), "UTF-16 that ends within a character".to_owned())),
    }
}

/// Returns the number of the line where the given text ends, counted from 1.
fn line(before: &str) -> u64 {
    1 + before.replace("\r\n", "\n").chars().filter(|c| matches!(c, '\n' | '\r')).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_byte_order_mark_determines_the_encoding() {
        let text = "id,name\r\ncam,直播🎥\r";
        let expected = Ok("id,name\ncam,直播🎥\n".to_owned());
        let marked = format!("\u{feff}{text}");
        assert_eq!(decode(text.as_bytes()), expected);
        assert_eq!(decode(marked.as_bytes()), expected);
        assert_eq!(decode(&utf16(&marked, u16::to_le_bytes)), expected);
        assert_eq!(decode(&utf16(&marked, u16::to_be_bytes)), expected);
        assert_eq!(decode(b""), Ok(String::new()));
    }

    #[test]
    fn undecodable_text_is_reported_with_its_line() {
        let half: Vec<u8> = [utf16("\u{feff}id\r\ncam", u16::to_le_bytes), vec![0]].concat();
        let surrogate = [b"\xff\xfei\0\n\0".as_slice(), b"\x00\xd8x\0"].concat();
        for (bytes, at) in [
            (b"id\rcam\r\xb0\xd7".as_slice(), 3),
            (b"id\r\nca\0m", 2),
            (&utf16("id\ncam", u16::to_le_bytes), 1),
            (b"\xff\xfe\0\0i\0\0\0d\0\0\0", 1),
            (&half, 2),
            (&surrogate, 2),
        ] {
            assert_eq!(decode(bytes).unwrap_err().0, at, "{bytes:?}");
        }
    }
}
