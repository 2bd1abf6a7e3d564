//! `expires`: how long an answer stays fresh (nginx: `ngx_http_set_expires`).

use bytes::Bytes;
use tidegate_config::http::headers::{Expires, Freshness};

use crate::date::{http_date, next_time_of_day, unix_time};
use crate::exchange::Exchange;
use crate::response::Response;

/// Sets `Expires` and `Cache-Control`.
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let settings = &ex.location.headers;
    let rule = match &settings.expires {
        Expires::Off => return,
        Expires::Fixed(rule) => Some(*rule),
        Expires::Variable(text) => read(&ex.render(text), false),
        Expires::ModifiedVariable(text) => read(&ex.render(text), true),
    };
    let now = unix_time().as_secs() as i64;
    if let Some((expires, control)) =
        rule.and_then(|rule| fields(rule, now, response.last_modified))
    {
        response.headers.set("Expires", expires);
        response.headers.set("Cache-Control", control);
    }
}

fn read(text: &[u8], modified: bool) -> Option<Freshness> {
    Freshness::of(std::str::from_utf8(text).ok()?, modified)
}

/// The values of `Expires` and `Cache-Control`.
fn fields(rule: Freshness, now: i64, changed: Option<i64>) -> Option<(Bytes, Bytes)> {
    let text = |date: &'static str, control: &'static str| {
        Some((Bytes::from_static(date.as_bytes()), Bytes::from_static(control.as_bytes())))
    };
    let (until, given) = match rule {
        Freshness::Off => return None,
        Freshness::Epoch => return text("Thu, 01 Jan 1970 00:00:01 GMT", "no-cache"),
        Freshness::Max => return text("Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000"),
        Freshness::Access(0) | Freshness::Modified(0) => {
            return Some((http_date(now), Bytes::from_static(b"max-age=0")));
        }
        Freshness::Daily(time) => (next_time_of_day(now, time), time),
        Freshness::Access(time) => (now.saturating_add(time), time),
        Freshness::Modified(time) => (changed.unwrap_or(now).saturating_add(time), time),
    };
    let age = until.saturating_sub(now);
    let control = if given < 0 || age < 0 {
        Bytes::from_static(b"no-cache")
    } else {
        format!("max-age={age}").into()
    };
    Some((http_date(until), control))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 784_111_777;

    fn control(rule: Freshness, changed: Option<i64>) -> Bytes {
        fields(rule, NOW, changed).unwrap().1
    }

    #[test]
    fn freshness_is_told_in_two_fields() {
        assert_eq!(
            fields(Freshness::Access(3600), NOW, None).unwrap(),
            ("Sun, 06 Nov 1994 09:49:37 GMT".into(), "max-age=3600".into())
        );
        assert_eq!(control(Freshness::Access(-1), None), "no-cache");
        assert_eq!(control(Freshness::Access(0), None), "max-age=0");
        assert_eq!(control(Freshness::Epoch, None), "no-cache");
        assert_eq!(control(Freshness::Max, None), "max-age=315360000");
        assert_eq!(control(Freshness::Modified(60), Some(NOW - 10)), "max-age=50");
        assert_eq!(control(Freshness::Modified(60), Some(NOW - 100)), "no-cache");
        assert_eq!(control(Freshness::Modified(60), None), "max-age=60");
        assert!(control(Freshness::Daily(1), None).starts_with(b"max-age="));
        assert_eq!(fields(Freshness::Off, NOW, None), None);
    }
}
