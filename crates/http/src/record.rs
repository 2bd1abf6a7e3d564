//! Numbers and texts, one behind the other, for another process of ours.

/// What is being written.
#[derive(Clone, Debug, Default)]
pub struct Writer(Vec<u8>);

/// What is being read; nothing more after the first fault.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl Writer {
    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a text.
    pub fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
    }

    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<'a> Reader<'a> {
    /// Reads what was written.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next number.
    pub fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    /// The next text.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_is_not() {
        let mut writer = Writer::default();
        writer.number(7);
        writer.text(b"seven");
        writer.text(b"");
        let mut reader = Reader::new(writer.bytes());
        assert_eq!((reader.number(), reader.text()), (Some(7), Some(&b"seven"[..])));
        assert_eq!((reader.text(), reader.text()), (Some(&b""[..]), None));
        assert_eq!(Reader::new(&[255; 20]).text(), None);
        assert_eq!(Reader::new(&[1; 7]).number(), None);
    }
}
