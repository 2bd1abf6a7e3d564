//! What a client says it takes (nginx: `ngx_http_gzip_accept_encoding`).

/// Whether the value of `Accept-Encoding` takes this coding with a quality above 0.
pub(super) fn accepts(value: &[u8], coding: &[u8]) -> bool {
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
    use super::*;

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
