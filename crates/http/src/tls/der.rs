//! DER, as far as the wrapping of an encrypted key and OCSP go (X.690).

/// OBJECT IDENTIFIER
pub(super) const OID: u8 = 0x06;
/// OCTET STRING
pub(super) const OCTETS: u8 = 0x04;
/// INTEGER
pub(super) const INTEGER: u8 = 0x02;
/// SEQUENCE
pub(super) const SEQUENCE: u8 = 0x30;

/// Takes the next value off the front: its tag and its content.
pub(super) fn next<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[tag, length], mut rest) = input.split_first_chunk()?;
    let length = if length < 0x80 {
        usize::from(length)
    } else {
        let (digits, behind) = rest.split_at_checked(usize::from(length & 0x7f))?;
        rest = behind;
        // More than four digits is more than any file.
        (digits.len() <= 4).then_some(())?;
        digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit))
    };
    let (content, behind) = rest.split_at_checked(length)?;
    *input = behind;
    Some((tag, content))
}

/// Takes the next value, which must have this tag.
pub(super) fn expect<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    next(input).filter(|(found, _)| *found == tag).map(|(_, content)| content)
}

/// A whole number of at most 32 bits.
pub(super) fn number(content: &[u8]) -> Option<u32> {
    (content.len() <= 5).then_some(())?;
    let sum = content.iter().fold(0_u64, |sum, digit| sum << 8 | u64::from(*digit));
    u32::try_from(sum).ok()
}

/// A value of this tag; its content is less than 64 KiB.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let [.., high, low] = length;
    let head = match (high, low) {
        (0, 0..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_one_by_one_and_never_beyond_the_end() {
        let mut input: &[u8] = &[0x02, 1, 5, 0x04, 0x81, 2, b'a', b'b'];
        assert_eq!(expect(&mut input, INTEGER).and_then(number), Some(5));
        assert_eq!(next(&mut input), Some((OCTETS, &b"ab"[..])));
        for length in [0, 127, 128, 255, 256, 5000] {
            let content = vec![7; length];
            let made = value(OCTETS, &content);
            assert_eq!(expect(&mut made.as_slice(), OCTETS), Some(content.as_slice()));
        }
        for broken in [&[0x02][..], &[0x02, 3, 1], &[0x02, 0x85, 0, 0, 0, 0, 0], &[0x02, 0x82, 1]] {
            assert_eq!(next(&mut &*broken), None, "{broken:?}");
        }
    }
}
