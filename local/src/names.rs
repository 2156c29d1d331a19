//! The naming rules of buckets, objects, channels and playlists.

use crate::fault::Fault;

/// The longest object key, in bytes.
const MAX_KEY: usize = 1023;

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

/// Whether a name could be a bucket's.
pub fn is_bucket(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Checks an object key: 1 to 1023 bytes, not beginning with a slash or
/// backslash.
///
/// # Errors
///
/// 400 `InvalidObjectName`.
pub fn check_object(key: &str) -> Result<(), Fault> {
    if (1..=MAX_KEY).contains(&key.len()) && !key.starts_with(['/', '\\']) {
        return Ok(());
    }
    Err(invalid_object())
}

/// The fault of a key that breaks the rules, or is no UTF-8.
pub fn invalid_object() -> Fault {
    Fault::new(400, "InvalidObjectName", "The specified object is not valid.")
}

/// Checks a channel name: 1 to 63 bytes without slash or backslash.
///
/// OSS documents the limit in three ways; its error message, "less than 64",
/// is the one that its engineers and tests agree with.
///
/// # Errors
///
/// 400 `InvalidChannelName`, with the service's message for each rule.
pub fn check_channel(name: &str) -> Result<(), Fault> {
    match name {
        "" => Err(invalid_channel("ChannelName must not be empty.")),
        _ if name.contains(['/', '\\']) => {
            Err(invalid_channel("ChannelName must not contain a slash."))
        }
        _ if name.len() > 63 => {
            Err(invalid_channel("The Length of channel name must be less than 64."))
        }
        _ => Ok(()),
    }
}

/// The fault of a channel name that is no UTF-8.
pub fn channel_not_utf8() -> Fault {
    invalid_channel("The characters encoding must be utf-8.")
}

fn invalid_channel(message: &str) -> Fault {
    Fault::new(400, "InvalidChannelName", message)
}

/// Checks a playlist name: 6 to 128 bytes, ending in `.m3u8`, no slash.
///
/// # Errors
///
/// 400 `InvalidArgument` with the EC that OSS documents for each rule.
pub fn check_playlist(name: &str) -> Result<(), Fault> {
    let fault = |message: &str, ec| {
        Err(Fault::new(400, "InvalidArgument", message)
            .with_ec(ec)
            .with("ArgumentName", "PlaylistName")
            .with("ArgumentValue", name))
    };
    const LENGTH: &str = "The length of the playlist name must be between 6 and 128.";
    match name {
        _ if name.contains('/') => {
            fault("The playlist name must not contain a slash.", "0044-00000016")
        }
        _ if name.len() > 128 => fault(LENGTH, "0044-00000017"),
        _ if !name.ends_with(".m3u8") => {
            fault("Playlist name must ends with \".m3u8\".", "0044-00000018")
        }
        _ if name.len() < 6 => fault(LENGTH, "0044-00000017"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_name_has_3_to_63_lower_case_letters_digits_and_inner_hyphens() {
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
    fn a_channel_name_is_63_bytes_of_anything_but_slashes() {
        for good in ["a", "live channel 2", "直播频道-1", "a.b+c_d%", "..", &"é".repeat(31)] {
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
    fn each_rule_of_playlist_names_has_its_ec() {
        let ec = |name: &str| check_playlist(name).err().and_then(|fault| fault.ec);
        assert_eq!(ec("p.m3u8"), None);
        assert_eq!(ec(&format!("{}.m3u8", "x".repeat(123))), None);
        assert_eq!(ec("a/b.m3u8"), Some("0044-00000016"));
        assert_eq!(ec(&format!("{}.m3u8", "x".repeat(124))), Some("0044-00000017"));
        assert_eq!(ec(".m3u8"), Some("0044-00000017"));
        assert_eq!(ec("playlist"), Some("0044-00000018"));
        assert_eq!(ec("playlist.M3U8"), Some("0044-00000018"));
    }

    #[test]
    fn an_object_key_has_1_to_1023_bytes_and_no_slash_first() {
        for good in ["a", "a//b", "../x", &"k".repeat(1023)] {
            assert_eq!(check_object(good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "\\a", &"k".repeat(1024)] {
            assert_eq!(check_object(bad).unwrap_err().code, "InvalidObjectName");
        }
    }
}
