//! What a document may contain. One that contains more is refused.

/// Nested elements. The service's documents have at most 5.
pub const DEPTH: usize = 64;
/// Elements in all: seven times those of a list of 1,000 channels. Each
/// takes about fifty bytes of memory.
pub const ELEMENTS: usize = 100_000;
/// Attributes of one element, namespace declarations included. The
/// service uses at most one.
pub const ATTRIBUTES: usize = 32;
/// Namespace declarations in all. The service uses at most one.
pub const NAMESPACES: usize = 16;
/// Equals signs in all: more than a list of 1,000 channels can have in
/// their descriptions. Each reserves about fifty bytes of memory.
pub const EQUALS_SIGNS: usize = 200_000;
