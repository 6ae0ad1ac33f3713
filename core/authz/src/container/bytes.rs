//! Strict little-endian reading of what others wrote.

/// Why the bytes end before what they announce, or are not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BytesProblem {
    /// They end too early.
    Truncated,
    /// A text is not UTF-8.
    Utf8,
}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'b [u8], BytesProblem> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(BytesProblem::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], BytesProblem> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(BytesProblem::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, BytesProblem> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, BytesProblem> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, BytesProblem> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, BytesProblem> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes with their length before them, in 16 bits.
    pub(crate) fn counted(&mut self) -> Result<&'b [u8], BytesProblem> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A text with its length in bytes before it, in 16 bits.
    pub(crate) fn text(&mut self) -> Result<&'b str, BytesProblem> {
        std::str::from_utf8(self.counted()?).map_err(|_| BytesProblem::Utf8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian_and_texts_are_counted() {
        let mut reader = Reader::new(b"\x01\x02\x00\x03\x00\x00\x00\x02\x00hi\x02\x00\xff\xff");
        assert_eq!(reader.byte(), Ok(1));
        assert_eq!(reader.u16(), Ok(2));
        assert_eq!(reader.u32(), Ok(3));
        assert_eq!(reader.text(), Ok("hi"));
        assert_eq!(reader.text(), Err(BytesProblem::Utf8));
        assert!(reader.is_empty());
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        assert_eq!(Reader::new(b"\x03\x00ab").counted(), Err(BytesProblem::Truncated));
        assert_eq!(Reader::new(&[0; 7]).u64(), Err(BytesProblem::Truncated));
        assert_eq!(Reader::new(&[0; 8]).u64(), Ok(0));
    }
}
