//! The characters of XML 1.0 (section 2.2).

/// Whether a document can contain a character.
pub(super) fn is_carried(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
