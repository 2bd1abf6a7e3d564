//! What a client says it takes.

/// What `Accept-Encoding` says of every coding that it names (RFC 9110, section 12.5.3).
///
/// `*` names none: as with nginx's gzip, a coding has to be asked for by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted<'a> {
    codings: Vec<(&'a [u8], u16)>,
}

impl<'a> Accepted<'a> {
    /// Reads the values of all fields.
    pub fn of(fields: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut codings = Vec::new();
        for part in fields.flat_map(|value| value.split(|&byte| byte == b',')) {
            let mut parameters = part.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let name = parameters.next().unwrap_or_default();
            let quality = match parameters.next() {
                None => Some(1000),
                Some(parameter) => weight(parameter),
            };
            if let Some(quality) = quality.filter(|_| !name.is_empty()) {
                codings.push((name, quality));
            }
        }
        Self { codings }
    }

    /// How much the client likes a coding, in thousandths; 0 is not at all.
    pub fn quality(&self, coding: &[u8]) -> u16 {
        let named = self.codings.iter().find(|(name, _)| name.eq_ignore_ascii_case(coding));
        named.map_or(0, |(_, quality)| *quality)
    }
}

/// `q=0.5` in thousandths; `None` where it is no weight.
fn weight(parameter: &[u8]) -> Option<u16> {
    let value = match parameter {
        [] => return Some(1000),
        [b'q' | b'Q', b'=', value @ ..] => value,
        _ => return None,
    };
    let (whole, digits) = match value {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', digits @ ..] => (whole, digits),
        _ => return None,
    };
    if digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |place: usize| digits.get(place).map_or(0, |digit| u16::from(digit - b'0'));
    let fraction = digit(0) * 100 + digit(1) * 10 + digit(2);
    let weight = u16::from(whole - b'0') * 1000 + fraction;
    (weight <= 1000).then_some(weight)
}

/// Whether the value of `Accept-Encoding` takes this coding with a quality above 0, by nginx's rule
/// for gzip (nginx: `ngx_http_gzip_accept_encoding`).
pub fn accepts(value: &[u8], coding: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = find(value, coding, from) {
        let before = at.checked_sub(1).and_then(|before| value.get(before));
        if matches!(before, None | Some(b',' | b' ')) {
            return judge(value.get(at + coding.len()..).unwrap_or_default());
        }
        from = at + coding.len();
    }
    false
}

fn find(value: &[u8], word: &[u8], from: usize) -> Option<usize> {
    let rest = value.get(from..)?;
    let at = rest.windows(word.len()).position(|part| part.eq_ignore_ascii_case(word))?;
    Some(from + at)
}

/// Judges what stands behind the coding's name.
fn judge(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    match rest.split_first() {
        None | Some((b',', _)) => true,
        Some((b';', parameters)) => judge_quality(parameters.trim_ascii_start()),
        Some(_) => false,
    }
}

fn judge_quality(parameters: &[u8]) -> bool {
    let quality = match parameters {
        [] => return true,
        [b'q' | b'Q', b'=', quality @ ..] => quality,
        _ => return false,
    };
    let end = quality.iter().position(|byte| b", ".contains(byte)).unwrap_or(quality.len());
    let (one, digits) = match quality.get(..end).unwrap_or_default() {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', digits @ ..] => (whole, digits),
        _ => return false,
    };
    let fraction = digits.iter().any(|&digit| digit != b'0');
    let good = digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit);
    good && ((*one == b'1') != fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn weights_are_those_that_were_written(
            asked in prop::collection::vec((0..4_usize, 0..=1000_u16, any::<bool>()), 0..5),
            (blank, upper) in (" {0,2}", any::<bool>()),
        ) {
            const CODINGS: [&str; 4] = ["gzip", "br", "zstd", "identity"];
            let texts = asked.iter().map(|&(coding, weight, bare)| {
                let name = CODINGS[coding];
                let name = if upper { name.to_uppercase() } else { name.to_owned() };
                let (whole, part) = (weight / 1000, weight % 1000);
                let weight = format!(";{blank}q={whole}.{part:03}{blank}");
                format!("{blank}{name}{blank}{}", if bare { "" } else { &weight })
            });
            let value = texts.collect::<Vec<_>>().join(",");
            let accepted = Accepted::of(std::iter::once(value.as_bytes()));
            for (number, coding) in CODINGS.iter().enumerate() {
                let first = asked.iter().find(|(asked, ..)| *asked == number);
                let weight = first.map_or(0, |&(_, weight, bare)| if bare { 1000 } else { weight });
                prop_assert_eq!(accepted.quality(coding.as_bytes()), weight, "{}: {}", coding, &value);
                prop_assert_eq!(accepts(value.as_bytes(), coding.as_bytes()), weight > 0, "{}", &value);
            }
        }

        #[test]
        fn anything_is_judged(value in "[gzip;q=01.*, x-]{0,24}", bytes: Vec<u8>) {
            for value in [value.as_bytes(), &bytes] {
                prop_assert!(Accepted::of(std::iter::once(value)).quality(b"gzip") <= 1000);
                let _taken = accepts(value, b"gzip");
            }
        }
    }

    #[test]
    fn codings_have_weights() {
        let fields =
            [&b"gzip;q=0.5, br , zstd; q=1.0,x;y=1,identity;q=0.25"[..], b"a;q=1.001,B;q=0"];
        let accepted = Accepted::of(fields.into_iter());
        for (coding, expected) in [
            ("gzip", 500),
            ("br", 1000),
            ("ZSTD", 1000),
            ("x", 0),
            ("identity", 250),
            ("a", 0),
            ("b", 0),
            ("deflate", 0),
        ] {
            assert_eq!(accepted.quality(coding.as_bytes()), expected, "{coding}");
        }
    }

    #[test]
    fn a_coding_is_taken_by_name_unless_its_quality_is_0() {
        for (value, expected) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("deflate, GZIP", true),
            ("deflate,gzip;q=0.5", true),
            ("gzip;q=1", true),
            ("gzip;q=1.000", true),
            ("gzip ; q=0.001", true),
            ("gzip;", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("gzip;q=1.1", false),
            ("gzip;q=2", false),
            ("gzip;q=0.1234", false),
            ("gzip;x=1", false),
            ("gzipx", false),
            ("x-gzip", false),
            ("xgzip, gzip", true),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(accepts(value.as_bytes(), b"gzip"), expected, "{value}");
        }
    }
}
