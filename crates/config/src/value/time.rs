//! Spans of time.

use std::time::Duration;

/// Reads a time of whole seconds: `90`, `1m30s`, `1y 2M 3w 4d 5h 6m 7s` (`ngx_parse_time`).
pub fn parse_seconds(text: &str) -> Option<Duration> {
    parse(text, Resolution::Seconds).map(|seconds| Duration::from_secs(seconds.cast_unsigned()))
}

/// Reads a time of milliseconds: as [`parse_seconds`] with `ms`, but without `y` and `M`.
/// A plain number is one of seconds.
pub fn parse_milliseconds(text: &str) -> Option<Duration> {
    parse(text, Resolution::Milliseconds).map(|ms| Duration::from_millis(ms.cast_unsigned()))
}

#[derive(Clone, Copy, PartialEq)]
enum Resolution {
    Seconds,
    Milliseconds,
}

/// The units, from the largest to the smallest; each may stand only before smaller ones.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Step {
    Start,
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Step {
    fn seconds(self) -> i64 {
        match self {
            Step::Year => 60 * 60 * 24 * 365,
            Step::Month => 60 * 60 * 24 * 30,
            Step::Week => 60 * 60 * 24 * 7,
            Step::Day => 60 * 60 * 24,
            Step::Hour => 60 * 60,
            Step::Minute => 60,
            Step::Start | Step::Second | Step::Millisecond => 1,
        }
    }
}

fn parse(text: &str, resolution: Resolution) -> Option<i64> {
    let (per_second, mut step) = match resolution {
        Resolution::Seconds => (1, Step::Start),
        Resolution::Milliseconds => (1000, Step::Month),
    };
    let mut total: i64 = 0;
    let mut value: i64 = 0;
    let mut any_digit = false;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if let Some(digit) = c.to_digit(10) {
            value = value.checked_mul(10)?.checked_add(digit.into())?;
            any_digit = true;
            continue;
        }
        let unit = match c {
            'y' => Step::Year,
            'M' => Step::Month,
            'w' => Step::Week,
            'd' => Step::Day,
            'h' => Step::Hour,
            'm' if rest.as_str().starts_with('s') => {
                rest.next();
                Step::Millisecond
            }
            'm' => Step::Minute,
            's' | ' ' => Step::Second,
            _ => return None,
        };
        if step >= unit || (unit == Step::Millisecond && resolution == Resolution::Seconds) {
            return None;
        }
        step = unit;
        let scale = if unit == Step::Millisecond { 1 } else { unit.seconds() * per_second };
        total = total.checked_add(value.checked_mul(scale)?)?;
        value = 0;
        rest = rest.as_str().trim_start_matches(' ').chars();
    }
    let total = total.checked_add(value.checked_mul(per_second)?)?;
    any_digit.then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_number_is_seconds() {
        assert_eq!(parse_seconds("90"), Some(Duration::from_secs(90)));
        assert_eq!(parse_milliseconds("90"), Some(Duration::from_secs(90)));
        assert_eq!(parse_milliseconds("0"), Some(Duration::ZERO));
    }

    #[test]
    fn units_are_combined_from_the_largest_down() {
        assert_eq!(parse_seconds("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_seconds("1h 30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse_seconds("1m30"), Some(Duration::from_secs(90)));
        assert_eq!(parse_seconds("30s 5"), Some(Duration::from_secs(35)));
        assert_eq!(parse_seconds("1y2M3w4d5h6m7s"), Some(Duration::from_secs(38_898_367)));
        assert_eq!(parse_milliseconds("1s500ms"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_milliseconds("1d"), Some(Duration::from_hours(24)));
        for text in ["1s1m", "1m1m", "1s1s", "1ms1s", "1d1w"] {
            assert_eq!(parse_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn milliseconds_have_no_months_and_seconds_no_milliseconds() {
        assert_eq!(parse_milliseconds("1M"), None);
        assert_eq!(parse_milliseconds("1y"), None);
        assert_eq!(parse_seconds("5ms"), None);
        assert_eq!(parse_milliseconds("5ms"), Some(Duration::from_millis(5)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "s", "1x", "-1s", " ", "1.5s", "99999999999999999999s", "１"] {
            assert_eq!(parse_seconds(text), None, "{text}");
        }
        assert_eq!(parse_milliseconds("9223372036854775807"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([0-9]{0,20}[yMwdhms ]{0,2}){0,4}") {
            _ = parse_seconds(&text);
            _ = parse_milliseconds(&text);
        }
    }
}
