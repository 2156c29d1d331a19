//! The characters of XML 1.0 (section 2.2).

/// Returns whether a document may contain a character.
pub(super) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
