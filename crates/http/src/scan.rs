//! Text that is looked through eight bytes at a time.

/// One in every byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);

/// The place of the first control character, DEL apart.
#[inline]
pub fn first_control(text: &[u8]) -> Option<usize> {
    first(text, |word| below(word, b' '), |byte| byte < b' ')
}

/// The place of the first byte that cannot be part of a field's name, be it read as liberally as may
/// be: a colon, a space, a control character, DEL.
#[inline]
pub fn end_of_name(text: &[u8]) -> Option<usize> {
    let in_word = |word| below(word, b' ' + 1) | equal(word, b':') | equal(word, 0x7f);
    first(text, in_word, |byte| byte <= b' ' || byte == b':' || byte == 0x7f)
}

/// The place of the first byte that is meant. Of a word, the high bits of the bytes that are; above
/// the first of them, others may be set as well.
#[inline]
fn first(
    text: &[u8],
    in_word: impl Fn(u64) -> u64,
    is_meant: impl Fn(u8) -> bool,
) -> Option<usize> {
    let (words, rest) = text.as_chunks();
    for (number, word) in words.iter().enumerate() {
        let found = in_word(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(8 * number + found.trailing_zeros() as usize / 8);
        }
    }
    let place = rest.iter().position(|&byte| is_meant(byte))?;
    Some(text.len() - rest.len() + place)
}

/// The high bit of each byte below this one, and of none before the first of them.
#[inline]
fn below(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(byte)) & !word & (ONES << 7)
}

/// The same of each byte that is this one.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_is_meant_is_found_wherever_it_stands() {
        for length in 0..40 {
            let text: Vec<u8> =
                (0..length).map(|place| if place % 2 == 0 { b'!' } else { 0xff }).collect();
            assert_eq!((first_control(&text), end_of_name(&text)), (None, None));
            for place in 0..length {
                for meant in 0..=u8::MAX {
                    let mut text = text.clone();
                    (text[place], text[length - 1]) = (meant, meant);
                    let control = (meant < b' ').then_some(place);
                    let ends = matches!(meant, 0..=b' ' | b':' | 0x7f).then_some(place);
                    assert_eq!((first_control(&text), end_of_name(&text)), (control, ends));
                }
            }
        }
    }
}
