//! `expires`: how long an answer stays fresh (nginx: `ngx_http_set_expires`).

use bytes::Bytes;
use tidegate_config::http::headers::{Expires, Freshness};

use crate::date::{http_date, next_time_of_day, unix_time};
use crate::exchange::Exchange;
use crate::response::Response;

/// Sets `Expires` and `Cache-Control` of the answer that is being made.
pub(super) fn apply(ex: &mut Exchange<'_>) {
    let location = ex.location;
    let rule = match &location.headers.expires {
        Expires::Off => return,
        Expires::Fixed(rule) => Some(*rule),
        Expires::Variable(text) => read(&ex.render(text), false),
        Expires::ModifiedVariable(text) => read(&ex.render(text), true),
    };
    if let (Some(rule), Some(answer)) = (rule, &mut ex.sent.answer) {
        expire(answer, rule, unix_time().as_secs() as i64);
    }
}

fn read(text: &[u8], modified: bool) -> Option<Freshness> {
    Freshness::of(std::str::from_utf8(text).ok()?, modified)
}

fn expire(response: &mut Response, rule: Freshness, now: i64) {
    let fresh_for = |age: i64| (http_date(now.saturating_add(age)), age);
    let (date, age) = match rule {
        Freshness::Off => return,
        Freshness::Epoch => (Bytes::from_static(b"Thu, 01 Jan 1970 00:00:01 GMT"), -1),
        Freshness::Max => (Bytes::from_static(b"Thu, 31 Dec 2037 23:55:55 GMT"), 315_360_000),
        Freshness::Access(0) | Freshness::Modified(0) => fresh_for(0),
        Freshness::Access(age) => fresh_for(age),
        Freshness::Daily(time) => fresh_for(next_time_of_day(now, time).saturating_sub(now)),
        Freshness::Modified(age) => match response.modified() {
            None => fresh_for(age),
            Some(modified) => {
                let (date, left) = fresh_for(modified.saturating_add(age).saturating_sub(now));
                (date, if age < 0 { -1 } else { left })
            }
        },
    };
    let control = if age < 0 { "no-cache".into() } else { format!("max-age={age}") };
    if !response.without_expires {
        response.headers.replace("Expires", date);
    }
    response.headers.replace("Cache-Control", control);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const NOW: i64 = 784_111_777;

    fn expired(rule: Freshness, last_modified: Option<i64>) -> (String, String) {
        let mut response = Response { last_modified, ..Response::new(200) };
        response.headers.push("Cache-Control", "private");
        response.headers.push("X-Between", "1");
        response.headers.push("cache-control", "no-store");
        expire(&mut response, rule, NOW);
        assert_eq!(response.headers.all(b"Cache-Control").count(), 1);
        let text =
            |name: &str| String::from_utf8(response.headers.get(name).unwrap().to_vec()).unwrap();
        (text("Expires"), text("Cache-Control"))
    }

    #[test]
    fn freshness_is_counted_from_now_or_from_the_last_change() {
        for (rule, date, control) in [
            (Freshness::Epoch, "Thu, 01 Jan 1970 00:00:01 GMT", "no-cache"),
            (Freshness::Max, "Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000"),
            (Freshness::Access(60), "Sun, 06 Nov 1994 08:50:37 GMT", "max-age=60"),
            (Freshness::Access(-60), "Sun, 06 Nov 1994 08:48:37 GMT", "no-cache"),
            (Freshness::Modified(60), "Sun, 06 Nov 1994 08:50:27 GMT", "max-age=50"),
            (Freshness::Modified(5), "Sun, 06 Nov 1994 08:49:32 GMT", "no-cache"),
            (Freshness::Modified(0), "Sun, 06 Nov 1994 08:49:37 GMT", "max-age=0"),
        ] {
            let expected = (date.to_owned(), control.to_owned());
            assert_eq!(expired(rule, Some(NOW - 10)), expected, "{rule:?}");
        }
        assert_eq!(expired(Freshness::Modified(60), None).1, "max-age=60");
        assert!(expired(Freshness::Daily(1), None).1.starts_with("max-age="));
    }
}
