//! The spelling of enumerations in responses, in JSON and on the command line.

/// Defines the spelling of an enumeration: `ALL`, `as_str`, `Display` and `FromStr`,
/// whose error lists the allowed values.
macro_rules! spelling {
    ($type:ident, $what:literal, $error:path, { $($variant:ident = $text:literal,)* }) => {
        impl $type {
            /// Every value.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// Returns the value's spelling.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $text,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let found = Self::ALL.iter().find(|value| value.as_str() == text);
                found.copied().ok_or_else(|| {
                    let allowed = $crate::spelling::one_of(&[$($text),*]);
                    $error(format!("{} {text:?}: must be {allowed}", $what))
                })
            }
        }
    };
}

pub(crate) use spelling;

/// Lists spellings: `a, b or c`.
pub(crate) fn one_of(texts: &[&str]) -> String {
    match texts {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => texts.concat(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        AddressingStyle, ChannelState, CheckId, ErrorKind, SignatureVersion, StreamState, Verdict,
    };

    macro_rules! assert_round_trip {
        ($($type:ident,)*) => {
            $(for value in $type::ALL {
                assert_eq!(value.to_string(), value.as_str());
                assert_eq!(value.as_str().parse::<$type>().expect("the value"), *value);
                assert!(value.as_str().to_uppercase().parse::<$type>().is_err());
            })*
        };
    }

    #[test]
    fn every_value_survives_a_round_trip() {
        assert_round_trip! {
            AddressingStyle, ChannelState, CheckId, ErrorKind, SignatureVersion, StreamState,
            Verdict,
        }
    }

    #[test]
    fn an_unknown_spelling_is_rejected_with_a_list_of_the_allowed_ones() {
        let error = "Path".parse::<AddressingStyle>().unwrap_err();
        assert_eq!(error.to_string(), r#"addressing style "Path": must be virtual, path or cname"#);
        let error = "on".parse::<ChannelState>().unwrap_err();
        assert_eq!(error.to_string(), r#"status "on": must be enabled or disabled"#);
        let error = "live".parse::<StreamState>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadReply);
        let error = SignatureVersion::try_from(2).unwrap_err();
        assert_eq!(error.to_string(), "signature version 2: must be 1 or 4");
    }

    #[test]
    fn a_list_of_one_spelling_has_no_conjunction() {
        assert_eq!(super::one_of(&["a"]), "a");
        assert_eq!(super::one_of(&["a", "b"]), "a or b");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn json_uses_the_same_spelling() {
        fn check<T: serde::Serialize + ToString>(values: &[T]) {
            for value in values {
                let json = serde_json::to_value(value).expect("JSON");
                assert_eq!(json, serde_json::Value::from(value.to_string()));
            }
        }
        check(ChannelState::ALL);
        check(StreamState::ALL);
        check(ErrorKind::ALL);
        check(CheckId::ALL);
        check(Verdict::ALL);
    }
}
