//! Dates as clients write them, read as leniently as nginx reads them.

/// The days of the months.
const DAYS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// How a date is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 822)
    Spaces,
    /// `Sunday, 06-Nov-94 08:49:37 GMT` (RFC 850)
    Dashes,
    /// `Sun Nov  6 08:49:37 1994` (asctime)
    YearLast,
}

/// Reads a date in one of HTTP's three forms, as seconds since 1970 (nginx: `ngx_parse_http_time`).
/// The name of the day does not count, nor what stands behind the time.
pub fn parse_http_date(text: &[u8]) -> Option<i64> {
    let end = text.iter().position(|byte| matches!(byte, b',' | b' '))?;
    let year_last = text.get(end) == Some(&b' ');
    let rest = text.get(end + 1..)?;
    let blank = rest.iter().take_while(|byte| **byte == b' ').count();
    let mut rest = Rest(rest.get(blank..)?);
    rest.has(18)?;
    let (mut day, mut year) = (0, 0);
    let form = if year_last {
        Form::YearLast
    } else {
        day = rest.number(2)?;
        match rest.next()? {
            b' ' if rest.has(17).is_some() => Form::Spaces,
            b'-' => Form::Dashes,
            _ => return None,
        }
    };
    let month = rest.month()?;
    match (form, rest.next()?) {
        (Form::Spaces, b' ') => year = rest.number(4)?,
        (Form::Dashes, b'-') => {
            let short = rest.number(2)?;
            year = if short < 70 { 2000 + short } else { 1900 + short };
        }
        (Form::YearLast, _) => day = rest.padded()?,
        _ => return None,
    }
    rest.expect(b' ')?;
    let hour = rest.number(2)?;
    rest.expect(b':')?;
    let minute = rest.number(2)?;
    rest.expect(b':')?;
    let second = rest.number(2)?;
    if form == Form::YearLast {
        rest.expect(b' ')?;
        year = rest.number(4)?;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let most = if month == 1 && leap { 29 } else { *DAYS.get(month)? };
    if hour > 23 || minute > 59 || second > 59 || day > most {
        return None;
    }
    Some(days(year, month as i64, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// The days from 1970 to a day, the months counted from 0: years begin in March here, so that the
/// leap day is the last (Gauss).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 1 { (year - 1, month + 11) } else { (year, month - 1) };
    365 * year + year / 4 - year / 100 + year / 400 + 367 * month / 12 - 30 + day - 1 - 719_527 + 59
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn has(&self, bytes: usize) -> Option<()> {
        (self.0.len() >= bytes).then_some(())
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let text = self.0.get(..digits)?;
        self.0 = self.0.get(digits..)?;
        text.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })
    }

    /// A day of one digit or two, perhaps behind a space more.
    fn padded(&mut self) -> Option<i64> {
        if self.0.first() == Some(&b' ') {
            self.next();
        }
        let first = self.number(1)?;
        if self.0.first() == Some(&b' ') { Some(first) } else { Some(first * 10 + self.number(1)?) }
    }

    /// The place of a month in the year, from 0; as many of its letters count as tell it.
    fn month(&mut self) -> Option<usize> {
        let name = self.0.get(..3)?;
        self.0 = self.0.get(3..)?;
        Some(match name {
            [b'J', b'a', _] => 0,
            [b'J', _, b'n'] => 5,
            [b'J', ..] => 6,
            [b'F', ..] => 1,
            [b'M', _, b'r'] => 2,
            [b'M', ..] => 4,
            [b'A', b'p', _] => 3,
            [b'A', ..] => 7,
            [b'S', ..] => 8,
            [b'O', ..] => 9,
            [b'N', ..] => 10,
            [b'D', ..] => 11,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_form_is_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun Nov 6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 GMT; length=10",
            "Mon, 06 Nov 1994 08:49:37",
            ",06 Nov 1994 08:49:37 +0000",
        ] {
            assert_eq!(parse_http_date(text.as_bytes()), Some(784_111_777), "{text}");
        }
        assert_eq!(parse_http_date(b"Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse_http_date(b"Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "",
            "yesterday",
            "784111777",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:60 GMT",
            "Sun, 30 Feb 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49",
            "Sun, 06-Nov-1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_http_date(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..253_402_300_800_u64) {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            prop_assert_eq!(parse_http_date(text.as_bytes()), i64::try_from(seconds).ok());
        }

        #[test]
        fn the_three_forms_mean_the_same(seconds in 0..3_124_224_000_i64) {
            let time = jiff::Timestamp::from_second(seconds).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            for form in
                ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
            {
                let text = time.strftime(form).to_string();
                prop_assert_eq!(parse_http_date(text.as_bytes()), Some(seconds), "{}", text);
            }
        }

        #[test]
        fn anything_is_judged(text in any::<Vec<u8>>()) {
            let _ = parse_http_date(&text);
        }

        #[test]
        fn nearly_dates_are_judged(text in "[A-Z][a-z]{2,5}[, -]{1,2}[0-9A-Za-z: -]{0,30}") {
            let _ = parse_http_date(text.as_bytes());
        }
    }
}
