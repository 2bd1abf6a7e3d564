//! `limit_rate`: how fast the bytes of an answer may leave.

use std::time::{Duration, Instant};

use tidegate_config::http::error_log::Level;
use tidegate_config::value::size::Size;
use tidegate_config::value::template::Template;

use crate::exchange::Exchange;

/// How fast the bytes of one answer, its head included, may leave (nginx: `ngx_http_write_filter`).
/// Whatever writes the answer asks it before it writes, and tells it what it has written; it knows
/// no socket and sleeps for nobody.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Bytes a second; not 0.
    rate: u64,
    /// Bytes that leave at any speed first.
    after: u64,
    started: Instant,
    sent: u64,
    /// When the bytes that have gone are paid for.
    free: Instant,
}

impl Pace {
    /// The pace of a request's answer; `None` where nothing bounds it.
    pub fn of(ex: &mut Exchange<'_>) -> Option<Self> {
        let settings = &ex.location.limit_rate;
        let rate = match ex.limit_rate {
            Some(rate) => rate,
            None if settings.rate.is_empty() => 0,
            None => size(ex, &settings.rate),
        };
        ex.limit_rate = Some(rate).filter(|rate| *rate > 0);
        if rate == 0 {
            return None;
        }
        let after = size(ex, &settings.after);
        Some(Self { rate, after, started: ex.started, sent: 0, free: ex.started })
    }

    /// How many bytes may leave now; the error is how long none may.
    pub fn allows(&self, now: Instant) -> Result<u64, Duration> {
        let wait = self.free.saturating_duration_since(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        let elapsed = now.saturating_duration_since(self.started);
        let earned = u128::from(self.rate) * (elapsed.as_millis() + 1000) / 1000;
        let earned = u64::try_from(earned).unwrap_or(u64::MAX).saturating_add(self.after);
        match earned.checked_sub(self.sent) {
            Some(bytes @ 1..) => Ok(bytes),
            Some(0) => Err(Duration::from_millis(1)),
            None => Err(self.time_of(self.sent - earned) + Duration::from_millis(1)),
        }
    }

    /// Takes note of bytes that have left.
    pub fn spend(&mut self, bytes: u64, now: Instant) {
        let before = self.sent.saturating_sub(self.after);
        self.sent += bytes;
        let owed = self.sent.saturating_sub(self.after) - before;
        self.free = now + self.time_of(owed);
    }

    fn time_of(&self, bytes: u64) -> Duration {
        let time = u128::from(bytes) * 1000 / u128::from(self.rate.max(1));
        Duration::from_millis(u64::try_from(time).unwrap_or(u64::MAX))
    }
}

/// The size that a text says; 0 where it says none.
fn size(ex: &mut Exchange<'_>, template: &Template) -> u64 {
    if template.is_empty() {
        return 0;
    }
    let text = ex.render(template);
    let text = String::from_utf8_lossy(&text);
    let size = Size::parse(&text);
    if size.is_none() {
        ex.log(Level::Error, &format!("invalid size \"{text}\""));
    }
    size.map_or(0, |size| size.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_at_their_pace() {
        let start = Instant::now();
        let mut pace = Pace { rate: 1000, after: 500, started: start, sent: 0, free: start };
        assert_eq!(pace.allows(start), Ok(1500));
        pace.spend(300, start);
        assert_eq!(pace.allows(start), Ok(1200));
        pace.spend(1200, start);
        assert_eq!(pace.allows(start), Err(Duration::from_secs(1)));
        let later = start + Duration::from_secs(1);
        assert_eq!(pace.allows(later), Ok(1000));
        pace.spend(1, later);
        assert_eq!(pace.allows(later), Err(Duration::from_millis(1)));
    }

    #[test]
    fn nothing_overflows() {
        let start = Instant::now();
        let mut pace =
            Pace { rate: u64::MAX / 2, after: u64::MAX, started: start, sent: 0, free: start };
        assert!(pace.allows(start).is_ok());
        pace.spend(1 << 40, start);
        assert!(pace.allows(start + Duration::from_hours(1000)).is_ok());
        let slow = Pace { rate: 1, after: 0, started: start, sent: 1 << 50, free: start };
        assert!(slow.allows(start).is_err());
    }
}
