//! Whole numbers.

/// Reads a number: digits and nothing else, at most 2^63 - 1 (`ngx_atoi`).
pub fn parse(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_number_is_digits_and_nothing_else() {
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse("0042"), Some(42));
        assert_eq!(parse("9223372036854775807"), Some(u64::MAX / 2));
        for text in ["", "-1", "+1", "1 ", "0x1", "1k", "9223372036854775808"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
