//! Sizes in bytes.

use std::fmt;

use super::number;

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl Size {
    /// Reads digits and perhaps `k`, `K`, `m` or `M` (`ngx_parse_size`).
    pub fn parse(text: &str) -> Option<Size> {
        scaled(text, &[('k', 1 << 10), ('m', 1 << 20)])
    }

    /// The same with `g` and `G`, as for lengths of files and bodies (`ngx_parse_offset`).
    pub fn parse_offset(text: &str) -> Option<Size> {
        scaled(text, &[('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30)])
    }
}

fn scaled(text: &str, units: &[(char, u64)]) -> Option<Size> {
    let last = text.chars().last()?.to_ascii_lowercase();
    let (digits, scale) = match units.iter().find(|(unit, _)| *unit == last) {
        Some((_, scale)) => (text.get(..text.len() - 1)?, *scale),
        None => (text, 1),
    };
    let bytes = number::parse(digits)?.checked_mul(scale)?;
    i64::try_from(bytes).is_ok().then_some(Size(bytes))
}

impl fmt::Display for Size {
    /// In the largest unit that leaves nothing over.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0"),
            bytes if bytes.is_multiple_of(1 << 30) => write!(f, "{}g", bytes >> 30),
            bytes if bytes.is_multiple_of(1 << 20) => write!(f, "{}m", bytes >> 20),
            bytes if bytes.is_multiple_of(1 << 10) => write!(f, "{}k", bytes >> 10),
            bytes => write!(f, "{bytes}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Size;

    #[test]
    fn a_size_is_digits_and_a_unit() {
        assert_eq!(Size::parse("0"), Some(Size(0)));
        assert_eq!(Size::parse("20"), Some(Size(20)));
        assert_eq!(Size::parse("8k"), Some(Size(8192)));
        assert_eq!(Size::parse("8K"), Some(Size(8192)));
        assert_eq!(Size::parse("1m"), Some(Size(1 << 20)));
        assert_eq!(Size::parse_offset("2G"), Some(Size(2 << 30)));
        for text in ["", "k", "1g", "1kb", "1.5m", "-1", " 1", "1 k", "é", "1é"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_size_that_does_not_fit_is_refused() {
        assert_eq!(Size::parse("9223372036854775807"), Some(Size(u64::MAX / 2)));
        for text in ["9223372036854775808", "9007199254740992k", "99999999999999999999m"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
        assert_eq!(Size::parse_offset("8589934592g"), None);
    }

    proptest! {
        #[test]
        fn a_size_is_written_as_it_is_read(bytes in 0..u64::MAX / 2) {
            prop_assert_eq!(Size::parse_offset(&Size(bytes).to_string()), Some(Size(bytes)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,20}") {
            _ = Size::parse(&text);
        }
    }
}
