//! The ranges a client asks for (nginx: `ngx_http_range_parse`).

use std::ops::Range;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The whole answer.
    Whole,
    /// These parts of it, at least one, none of them empty.
    Parts(Vec<Range<u64>>),
    /// Nothing: the answer is 416.
    Unsatisfiable,
}

/// Reads the value of `Range` for an answer of `length` bytes. More than `max` ranges, or ranges
/// that are longer together than the answer, give the whole.
pub(super) fn parse(value: &[u8], length: u64, max: usize) -> Wanted {
    const UNIT: &[u8] = b"bytes=";
    let Some((unit, ranges)) = value.split_at_checked(UNIT.len()) else { return Wanted::Whole };
    if ranges.is_empty() || !unit.eq_ignore_ascii_case(UNIT) || max == 0 {
        return Wanted::Whole;
    }
    let (mut parts, mut size) = (Vec::new(), 0u64);
    for range in ranges.split(|&byte| byte == b',') {
        let Some(range) = parse_one(range, length) else { return Wanted::Unsatisfiable };
        if range.start < range.end {
            if parts.len() == max {
                return Wanted::Whole;
            }
            size = size.saturating_add(range.end - range.start);
            parts.push(range);
        } else if range.start == 0 {
            return Wanted::Whole;
        }
    }
    match size {
        _ if parts.is_empty() => Wanted::Unsatisfiable,
        size if size > length => Wanted::Whole,
        _ => Wanted::Parts(parts),
    }
}

/// Reads `first-last`, `first-` or `-suffix`; `None` where it is none of these.
fn parse_one(range: &[u8], length: u64) -> Option<Range<u64>> {
    let range = trim_start(range);
    if let Some(suffix) = range.strip_prefix(b"-") {
        let (suffix, rest) = number(suffix)?;
        let start = length.saturating_sub(suffix);
        // A length of nothing, as in nginx, gives an empty range that does not begin at 0.
        return trim_start(rest).is_empty().then_some(start..length);
    }
    let (first, rest) = number(range)?;
    let rest = trim_start(trim_start(rest).strip_prefix(b"-")?);
    if rest.is_empty() {
        return Some(first..length);
    }
    let (last, rest) = number(rest)?;
    trim_start(rest).is_empty().then_some(first..last.saturating_add(1).min(length))
}

/// A decimal number of at most 63 bits, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    let number: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number.unsigned_abs(), rest))
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blank = text.iter().take_while(|&&byte| byte == b' ').count();
    text.get(blank..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_nginx_does() {
        let parts = |ranges: &[(u64, u64)]| {
            Wanted::Parts(ranges.iter().map(|&(start, end)| start..end).collect())
        };
        for (value, expected) in [
            ("bytes=0-0", parts(&[(0, 1)])),
            ("BYTES=0-4", parts(&[(0, 5)])),
            ("bytes=5-", parts(&[(5, 10)])),
            ("bytes=-3", parts(&[(7, 10)])),
            ("bytes=-30", parts(&[(0, 10)])),
            ("bytes=5-100", parts(&[(5, 10)])),
            ("bytes= 1 - 2 , 4-5", parts(&[(1, 3), (4, 6)])),
            ("bytes=0-1,20-30", parts(&[(0, 2)])),
            ("bytes=4-5,1-2", parts(&[(4, 6), (1, 3)])),
            ("bytes=0-9", parts(&[(0, 10)])),
            ("bytes=0-9,0-0", Wanted::Whole),
            ("bytes=1-0", Wanted::Unsatisfiable),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=10-11", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=", Wanted::Whole),
            ("bytes=x", Wanted::Unsatisfiable),
            ("bytes=1", Wanted::Unsatisfiable),
            ("bytes=-", Wanted::Unsatisfiable),
            ("bytes=1-x", Wanted::Unsatisfiable),
            ("bytes=1-2x", Wanted::Unsatisfiable),
            ("bytes=1-2,", Wanted::Unsatisfiable),
            ("bytes=1-2,,3-4", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999-", Wanted::Unsatisfiable),
            ("lines=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(parse(value.as_bytes(), 10, 100), expected, "{value}");
        }
    }

    #[test]
    fn too_many_ranges_give_the_whole() {
        assert_eq!(parse(b"bytes=0-0,2-2", 10, 1), Wanted::Whole);
        assert!(matches!(parse(b"bytes=0-0,2-2", 10, 2), Wanted::Parts(_)));
        assert_eq!(parse(b"bytes=0-0", 10, 0), Wanted::Whole);
    }

    #[test]
    fn an_empty_answer_has_no_parts() {
        assert_eq!(parse(b"bytes=0-", 0, 9), Wanted::Whole);
        assert_eq!(parse(b"bytes=-1", 0, 9), Wanted::Whole);
        assert_eq!(parse(b"bytes=1-", 0, 9), Wanted::Unsatisfiable);
    }

    /// Ranges as they are meant: first and last byte, all from one on, or the last few.
    fn one_range() -> impl Strategy<Value = (Option<u64>, Option<u64>)> {
        let number = 0..30_u64;
        prop_oneof![
            (number.clone(), number.clone()).prop_map(|(first, last)| (Some(first), Some(last))),
            number.clone().prop_map(|first| (Some(first), None)),
            number.prop_map(|few| (None, Some(few))),
        ]
    }

    proptest! {
        #[test]
        fn parts_are_the_bytes_that_are_meant(
            ranges in prop::collection::vec(one_range(), 1..4),
            blank in " {0,2}",
            length in 1..20_u64,
            most in 1..5_usize,
        ) {
            let shown = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
            // As in nginx, nothing stands between the dash and how many of the last bytes are meant.
            let texts = ranges.iter().map(|(first, last)| match first {
                Some(first) => format!("{blank}{first}{blank}-{blank}{}{blank}", shown(*last)),
                None => format!("{blank}-{}{blank}", shown(*last)),
            });
            let value = format!("bytes={}", texts.collect::<Vec<_>>().join(","));
            let bytes = ranges.iter().map(|range| match *range {
                (Some(first), last) => {
                    let last = last.unwrap_or(u64::MAX);
                    (0..length).filter(|at| (first..=last).contains(at)).collect::<Vec<_>>()
                }
                (None, few) => (0..length).filter(|at| at + few.unwrap_or(0) >= length).collect(),
            });
            let parts: Vec<_> = bytes.filter(|bytes| !bytes.is_empty()).collect();
            let expected = match parts.len() {
                0 => Wanted::Unsatisfiable,
                count if count > most => Wanted::Whole,
                _ if parts.iter().map(Vec::len).sum::<usize>() as u64 > length => Wanted::Whole,
                _ => Wanted::Parts(parts.iter().map(|part| part[0]..part[part.len() - 1] + 1).collect()),
            };
            prop_assert_eq!(parse(value.as_bytes(), length, most), expected, "{} of {}", value, length);
        }

        #[test]
        fn parts_lie_within_the_answer(
            value in "bytes=([0-9]{0,20}-?[0-9]{0,20}[, ]?){0,4}", length in any::<u64>(),
        ) {
            let length = length >> 1;
            if let Wanted::Parts(parts) = parse(value.as_bytes(), length, 100) {
                prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= length));
                prop_assert!(parts.iter().map(|part| part.end - part.start).sum::<u64>() <= length);
            }
        }
    }
}
