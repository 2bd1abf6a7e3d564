//! The search for several texts at once, in a body that comes in pieces.

use bytes::Bytes;

use crate::filter::transform::Transform;

/// Texts and what takes their place.
///
/// The leftmost text is replaced; of several that begin at one place, the one named first.
pub(super) struct Replace {
    /// The texts, in lower case and not empty, and their replacements.
    pairs: Vec<(Bytes, Bytes)>,
    /// Which of them were found, where each is replaced once.
    done: Vec<bool>,
    once: bool,
    /// The bytes, in either case, that a text begins with.
    first: [bool; 256],
    /// What may be the beginning of a text.
    held: Vec<u8>,
}

/// What lies at a place.
enum Found {
    /// No text.
    Nothing,
    /// The text of this number.
    Text(usize),
    /// Perhaps a text, if it goes on so.
    Maybe,
}

impl Replace {
    /// A search for these texts.
    pub(super) fn new(pairs: Vec<(Bytes, Bytes)>, once: bool) -> Self {
        let done = vec![false; pairs.len()];
        let mut replace = Self { pairs, done, once, first: [false; 256], held: Vec::new() };
        replace.note_first();
        replace
    }

    fn note_first(&mut self) {
        self.first = [false; 256];
        let live = self.pairs.iter().zip(&self.done).filter(|(_, done)| !**done);
        for byte in live.filter_map(|((text, _), _)| text.first()) {
            for case in [*byte, byte.to_ascii_uppercase()] {
                if let Some(place) = self.first.get_mut(usize::from(case)) {
                    *place = true;
                }
            }
        }
    }

    fn at(&self, rest: &[u8], last: bool) -> Found {
        for (number, ((text, _), done)) in self.pairs.iter().zip(&self.done).enumerate() {
            if *done {
                continue;
            }
            let common = text.len().min(rest.len());
            let same = rest.get(..common).zip(text.get(..common));
            if !same.is_some_and(|(a, b)| a.eq_ignore_ascii_case(b)) {
                continue;
            }
            if common == text.len() {
                return Found::Text(number);
            }
            if !last {
                return Found::Maybe;
            }
        }
        Found::Nothing
    }

    /// Searches `bytes`; returns where what is to be held begins.
    fn search(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let begins = |byte: &u8| self.first.get(usize::from(*byte)) == Some(&true);
            let Some(skip) = rest.iter().position(begins) else {
                out.extend_from_slice(rest);
                return bytes.len();
            };
            let (before, rest) = rest.split_at_checked(skip).unwrap_or_default();
            out.extend_from_slice(before);
            at += skip;
            match self.at(rest, last) {
                Found::Nothing => {
                    out.extend(rest.first());
                    at += 1;
                }
                Found::Maybe => return at,
                Found::Text(number) => {
                    let Some((text, replacement)) = self.pairs.get(number) else { return at };
                    out.extend_from_slice(replacement);
                    at += text.len();
                    if self.once
                        && let Some(done) = self.done.get_mut(number)
                    {
                        *done = true;
                        self.note_first();
                    }
                }
            }
        }
    }
}

impl Transform for Replace {
    fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if self.held.is_empty() {
            let kept = self.search(input, false, out);
            self.held.extend_from_slice(input.get(kept..).unwrap_or_default());
            return;
        }
        let mut bytes = std::mem::take(&mut self.held);
        bytes.extend_from_slice(input);
        let kept = self.search(&bytes, false, out);
        bytes.drain(..kept);
        self.held = bytes;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let bytes = std::mem::take(&mut self.held);
        self.search(&bytes, true, out);
    }

    fn is_over(&self) -> bool {
        self.held.is_empty() && self.done.iter().all(|done| *done)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn replaced(pairs: &[(&str, &str)], once: bool, text: &str, cut: usize) -> String {
        let owned = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let pairs = pairs.iter().map(|(a, b)| (owned(&a.to_ascii_lowercase()), owned(b)));
        let mut replace = Replace::new(pairs.collect(), once);
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(cut.max(1)) {
            replace.feed(piece, &mut out);
        }
        replace.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_leftmost_is_replaced_and_the_first_named_of_two() {
        let pairs = [("ab", "1"), ("abc", "2"), ("C", "3")];
        assert_eq!(replaced(&pairs, false, "xabcABc", 100), "x1313");
        assert_eq!(replaced(&pairs, true, "xabcABcab", 100), "x132ab");
        assert_eq!(replaced(&[("abc", "2"), ("ab", "1")], false, "ababc", 1), "12");
        assert_eq!(replaced(&[("aab", "x")], false, "aaaab", 2), "aax");
    }

    proptest! {
        #[test]
        fn where_a_body_is_cut_makes_no_difference(
            text in "[abAB]{0,40}", one in "[ab]{1,4}", two in "[ab]{1,4}", cut in 1..9usize, once: bool
        ) {
            let pairs = [(one.as_str(), "-"), (two.as_str(), "+b")];
            let whole = replaced(&pairs, once, &text, 1000);
            prop_assert_eq!(replaced(&pairs, once, &text, cut), whole);
        }
    }
}
