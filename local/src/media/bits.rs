//! A reader of bit fields and Exp-Golomb codes.

/// Reads bits, the most significant first; returns `None` at the end.
#[derive(Clone)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Bits { bytes, position: 0 }
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    /// Returns the next `count` bits, at most 32, as an unsigned number.
    pub(crate) fn read(&mut self, count: u32) -> Option<u32> {
        debug_assert!(count <= 32);
        (0..count).try_fold(0, |value: u32, _| Some(value << 1 | u32::from(self.flag()?)))
    }

    /// Reads ue(v) of ISO/IEC 14496-10 section 9.1.
    pub(crate) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some(((1 << zeros) - 1) + self.read(zeros)?)
    }

    /// Reads se(v) of ISO/IEC 14496-10 section 9.1.1.
    pub(crate) fn se(&mut self) -> Option<i32> {
        let code = i64::from(self.ue()?);
        let magnitude = (code + 1) / 2;
        i32::try_from(if code % 2 == 1 { magnitude } else { -magnitude }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_most_significant_first_until_none_are_left() {
        let mut bits = Bits::new(&[0b1010_0101, 0xFF]);
        assert_eq!(bits.read(3), Some(0b101));
        assert_eq!(bits.flag(), Some(false));
        assert_eq!(bits.read(12), Some(0b0101_1111_1111));
        assert_eq!(bits.flag(), None);
        assert_eq!(Bits::new(&[0xFF; 4]).read(32), Some(u32::MAX));
        assert_eq!(Bits::new(&[0xFF; 3]).read(32), None);
    }

    #[test]
    fn exp_golomb_codes_match_the_standard() {
        // 1 | 010 | 011 | 00100 | 00101
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!([(); 5].map(|()| bits.ue()), [0, 1, 2, 3, 4].map(Some));
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!([(); 5].map(|()| bits.se()), [0, 1, -1, 2, -2].map(Some));
    }

    #[test]
    fn the_longest_code_is_read_and_a_longer_one_is_refused() {
        assert_eq!(Bits::new(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFE]).ue(), Some(u32::MAX - 1));
        assert_eq!(Bits::new(&[0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).ue(), None);
        assert_eq!(Bits::new(&[0, 0]).ue(), None);
    }
}
