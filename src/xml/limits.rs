//! The limits of a document. One that exceeds them is rejected.

/// Nested elements. The service's documents have at most 5.
pub const DEPTH: usize = 64;
/// The total number of elements: seven times that of a list of 1,000 channels. Each
/// takes about fifty bytes of memory.
pub const ELEMENTS: usize = 100_000;
/// Attributes of one element, including namespace declarations. The
/// service uses at most one.
pub const ATTRIBUTES: usize = 32;
/// The total number of namespace declarations. The service uses at most one.
pub const NAMESPACES: usize = 16;
/// The total number of equals signs: more than the descriptions in a list of 1,000
/// channels can contain. Each reserves about fifty bytes of memory.
pub const EQUALS_SIGNS: usize = 200_000;
