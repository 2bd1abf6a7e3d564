//! The time, in the texts that heads and logs want it in.

mod http_time;

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use nix::time::{ClockId, clock_gettime};

pub use http_time::parse_http_date;

/// The last second of the year 9999, the last that HTTP has a date for.
const LAST: i64 = 253_402_300_799;

/// The current second in its texts; made once a second.
#[derive(Clone, Debug)]
pub struct Now {
    /// Seconds since 1970.
    pub seconds: i64,
    /// As in `Date`: `Sun, 06 Nov 1994 08:49:37 GMT`
    pub http: Bytes,
    /// As `$time_local`: `06/Nov/1994:08:49:37 +0000`
    pub local: Bytes,
    /// As `$time_iso8601`: `1994-11-06T08:49:37+00:00`
    pub iso8601: Bytes,
    /// As in the error log: `1994/11/06 08:49:37`
    pub log: Bytes,
    /// As syslog has it: `Nov  6 08:49:37`
    pub syslog: Bytes,
}

impl Now {
    /// The texts of the current second.
    pub fn get() -> Self {
        Self::with(Self::clone)
    }

    /// What is made of the texts of the current second.
    pub fn with<T>(make: impl FnOnce(&Self) -> T) -> T {
        thread_local! {
            static LATEST: RefCell<Option<Now>> = const { RefCell::new(None) };
        }
        let seconds = second();
        LATEST.with_borrow_mut(|latest| match latest {
            Some(now) if now.seconds == seconds => make(now),
            _ => make(latest.insert(Self::at(seconds))),
        })
    }

    /// The texts of a second.
    pub fn at(seconds: i64) -> Self {
        let time = Timestamp::from_second(seconds).unwrap_or_default();
        let time = time.to_zoned(TimeZone::system());
        let text = |format: &str| Bytes::from(time.strftime(format).to_string());
        Self {
            seconds,
            http: http_date(seconds),
            local: text("%d/%b/%Y:%H:%M:%S %z"),
            iso8601: text("%Y-%m-%dT%H:%M:%S%:z"),
            log: text("%Y/%m/%d %H:%M:%S"),
            syslog: text("%b %e %H:%M:%S"),
        }
    }

    /// In full, as `$date_gmt` and `$date_local`: `Sunday, 06-Nov-1994 08:49:37 GMT`
    pub fn long(&self, gmt: bool) -> Bytes {
        self.formatted("%A, %d-%b-%Y %H:%M:%S %Z", gmt)
    }

    /// By a format of `strftime`; one that is none gives nothing. `%s` is the time in seconds.
    pub fn formatted(&self, format: &str, gmt: bool) -> Bytes {
        if format == "%s" {
            return self.seconds.to_string().into();
        }
        let zone =
            if gmt { TimeZone::get("GMT").unwrap_or(TimeZone::UTC) } else { TimeZone::system() };
        let time = Timestamp::from_second(self.seconds).unwrap_or_default().to_zoned(zone);
        jiff::fmt::strtime::format(format, &time).unwrap_or_default().into()
    }
}

/// The current second since 1970, which may come a few milliseconds late and costs next to nothing.
///
/// By the C library: rustix looks for the kernel's page of fast calls by itself, where valgrind has put
/// it away, and ends the process.
fn second() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_REALTIME_COARSE);
    time.map_or_else(|_| unix_time().as_secs() as i64, |time| time.tv_sec())
}

/// The time since 1970.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The next second, behind this one, at which it is so many seconds after midnight where we are.
pub fn next_time_of_day(seconds: i64, after_midnight: i64) -> i64 {
    const DAY: i64 = 86_400;
    let now = Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::system());
    let midnight = now
        .start_of_day()
        .map_or(seconds - seconds.rem_euclid(DAY), |start| start.timestamp().as_second());
    let today = midnight + after_midnight;
    if today > seconds { today } else { today + DAY }
}

/// A date as HTTP writes it (RFC 9110, section 5.6.7), of seconds since 1970.
pub fn http_date(seconds: i64) -> Bytes {
    thread_local! {
        /// The latest dates, each in the place of its last digits: files are asked for again.
        static LATEST: RefCell<[(u64, Bytes); 64]> =
            RefCell::new(std::array::from_fn(|_| (u64::MAX, Bytes::new())));
    }
    let seconds = seconds.clamp(0, LAST).unsigned_abs();
    LATEST.with_borrow_mut(|latest| {
        let place = usize::try_from(seconds).unwrap_or_default() % latest.len();
        let text = || httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds)).into();
        match latest.get_mut(place) {
            Some((known, date)) if *known == seconds => date.clone(),
            Some(entry) => {
                *entry = (seconds, text());
                entry.1.clone()
            }
            None => text(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(-5), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn logs_have_texts_of_their_own() {
        let now = Now::at(784_111_777);
        assert_eq!(now.local.len(), "06/Nov/1994:08:49:37 +0000".len());
        assert_eq!(now.iso8601.len(), "1994-11-06T08:49:37+00:00".len());
        assert_eq!(now.log.len(), "1994/11/06 08:49:37".len());
        assert_eq!(Now::get().http.len(), 29);
    }
}
