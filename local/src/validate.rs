//! The naming rules of buckets, objects, channels and playlists.

use crate::fault::Fault;

/// The longest object key, in bytes.
const MAX_KEY: usize = 1023;
/// The service's message for a name in another encoding.
const NOT_UTF8: &str = "The characters encoding must be utf-8.";

/// Checks a bucket name: 3 to 63 of `a-z`, `0-9` and `-`, with no `-` at
/// either end.
///
/// # Errors
///
/// 400 `InvalidBucketName`.
pub fn check_bucket(name: &str) -> Result<(), Fault> {
    if is_bucket(name) {
        return Ok(());
    }
    Err(Fault::new(400, "InvalidBucketName", "The specified bucket is not valid.")
        .with("BucketName", name))
}

/// Returns whether a bucket name is valid.
pub fn is_bucket(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Checks an object key: 1 to 1023 bytes, no slash or backslash at the start,
/// no NUL.
///
/// Other control characters are allowed, as by the service: a listing with
/// `encoding-type=url` can represent them.
///
/// # Errors
///
/// 400 `InvalidObjectName`.
pub fn check_object(key: &str) -> Result<(), Fault> {
    let fits = (1..=MAX_KEY).contains(&key.len());
    if fits && !key.starts_with(['/', '\\']) && !key.contains('\0') {
        return Ok(());
    }
    Err(Fault::new(400, "InvalidObjectName", "The specified object is not valid."))
}

/// Returns the fault for a key that is not UTF-8.
pub fn key_not_utf8() -> Fault {
    Fault::new(400, "InvalidArgument", NOT_UTF8)
}

/// Checks a channel name: 1 to 63 bytes, no slash or backslash, only characters
/// that a listing can represent, and neither `.` nor `..`, which browsers,
/// proxies and curl remove from paths.
///
/// OSS documents three different limits; its error message, "less than 64", is
/// the one that its engineers and tests agree with.
///
/// # Errors
///
/// 400 `InvalidChannelName`, with the service's message and EC for each rule
/// that it documents.
pub fn check_channel(name: &str) -> Result<(), Fault> {
    let rule = match name {
        "" => return Err(empty_channel()),
        _ if name.contains(['/', '\\']) => {
            let fault = invalid_channel("ChannelName must not contain a slash.");
            return Err(fault.with_ec("0017-00000260"));
        }
        _ if name.len() > 63 => {
            let fault = invalid_channel("The Length of channel name must be less than 64.");
            return Err(fault.with_ec("0017-00000258"));
        }
        "." | ".." => "ChannelName must not be \".\" or \"..\".",
        _ if !fits_xml(name) => {
            "ChannelName must not contain control characters or noncharacters that XML forbids."
        }
        _ => return Ok(()),
    };
    Err(invalid_channel(rule))
}

/// Returns the fault for an empty channel name.
pub fn empty_channel() -> Fault {
    invalid_channel("ChannelName must not be empty.").with_ec("0017-00000257")
}

/// Returns the fault for a channel name that is not UTF-8.
pub fn channel_not_utf8() -> Fault {
    invalid_channel(NOT_UTF8).with_ec("0017-00000259")
}

fn invalid_channel(message: &str) -> Fault {
    Fault::new(400, "InvalidChannelName", message)
}

/// Returns whether XML 1.0 can represent a string (section 2.2 of the
/// recommendation). Other strings change in a round trip or cannot be parsed.
pub fn fits_xml(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..))
}

/// Checks a playlist name: 6 to 128 bytes, ending in `.m3u8`, no slash, only
/// characters that XML can represent.
///
/// # Errors
///
/// 400 `InvalidArgument` with the EC that OSS documents for each rule.
pub fn check_playlist(name: &str) -> Result<(), Fault> {
    let invalid = |message: &str| {
        Fault::new(400, "InvalidArgument", message)
            .with("ArgumentName", "PlaylistName")
            .with("ArgumentValue", name)
    };
    let fault = |message: &str, ec| Err(invalid(message).with_ec(ec));
    const LENGTH: &str = "The length of the playlist name must be between 6 and 128.";
    match name {
        _ if name.contains('/') => {
            fault("The playlist name must not contain a slash.", "0044-00000016")
        }
        _ if name.len() > 128 => fault(LENGTH, "0044-00000017"),
        // The service's own wording.
        _ if !name.ends_with(".m3u8") => {
            fault("Playlist name must ends with \".m3u8\".", "0044-00000018")
        }
        _ if name.len() < 6 => fault(LENGTH, "0044-00000017"),
        _ if !fits_xml(name) => {
            Err(invalid("The playlist name must not contain control characters that XML forbids."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_have_3_to_63_lower_case_letters_digits_and_inner_hyphens() {
        for good in ["abc", "a-1", "live-demo", &"a".repeat(63)] {
            assert!(is_bucket(good), "{good}");
        }
        for bad in ["", "ab", "-ab", "ab-", "Abc", "a.b", "a_b", "a/b", "ab\u{e9}", &"a".repeat(64)]
        {
            assert!(!is_bucket(bad), "{bad}");
            assert_eq!(check_bucket(bad).unwrap_err().code, "InvalidBucketName");
        }
    }

    #[test]
    fn channel_names_have_1_to_63_bytes_and_no_slash() {
        for good in ["a", "live channel 2", "直播频道-1", "a.b+c_d%", "...", &"é".repeat(31)] {
            assert_eq!(check_channel(good), Ok(()), "{good}");
        }
        let message = |name: &str| check_channel(name).unwrap_err().message;
        assert_eq!(message(""), "ChannelName must not be empty.");
        assert_eq!(message("a/b"), "ChannelName must not contain a slash.");
        assert_eq!(message("a\\b"), "ChannelName must not contain a slash.");
        assert_eq!(message(&"x".repeat(64)), "The Length of channel name must be less than 64.");
        assert_eq!(message(&"é".repeat(32)), "The Length of channel name must be less than 64.");
    }

    #[test]
    fn channel_names_that_paths_or_listings_would_lose_are_refused() {
        for lost in [".", "..", "a\0b", "\u{1}", "a\u{1b}", "\u{fffe}", "a\u{ffff}"] {
            assert_eq!(check_channel(lost).unwrap_err().code, "InvalidChannelName", "{lost:?}");
        }
        for kept in ["...", ".a", "a.", " a ", "a\tb\nc\rd", "\u{7f}\u{85}", "\u{fffd}", "🎥"] {
            assert_eq!(check_channel(kept), Ok(()), "{kept:?}");
        }
    }

    #[test]
    fn each_documented_rule_of_channel_names_has_its_ec() {
        let ec = |name: &str| check_channel(name).unwrap_err().ec;
        assert_eq!(ec(""), Some("0017-00000257"));
        assert_eq!(ec(&"x".repeat(64)), Some("0017-00000258"));
        assert_eq!(channel_not_utf8().ec, Some("0017-00000259"));
        assert_eq!(ec("a/b"), Some("0017-00000260"));
    }

    #[test]
    fn each_rule_of_playlist_names_has_its_ec() {
        let ec = |name: &str| check_playlist(name).err().and_then(|fault| fault.ec);
        assert_eq!(ec("p.m3u8"), None);
        assert_eq!(ec(&format!("{}.m3u8", "x".repeat(123))), None);
        assert_eq!(ec("a/b.m3u8"), Some("0044-00000016"));
        assert_eq!(ec(&format!("{}.m3u8", "x".repeat(124))), Some("0044-00000017"));
        assert_eq!(ec(".m3u8"), Some("0044-00000017"));
        assert_eq!(ec("playlist"), Some("0044-00000018"));
        assert_eq!(ec("playlist.M3U8"), Some("0044-00000018"));
        assert_eq!(check_playlist("a\u{1}.m3u8").unwrap_err().code, "InvalidArgument");
    }

    #[test]
    fn object_keys_have_1_to_1023_bytes_and_no_slash_at_the_start() {
        for good in ["a", "a//b", "../x", "\u{1}\u{c}\r", &"k".repeat(1023)] {
            assert_eq!(check_object(good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "\\a", "a\0", &"k".repeat(1024)] {
            assert_eq!(check_object(bad).unwrap_err().code, "InvalidObjectName");
        }
    }
}
