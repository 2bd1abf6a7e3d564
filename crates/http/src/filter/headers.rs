//! headers: `add_header` and `expires`.

mod expires;

use bytes::Bytes;

use crate::date::parse_http_date;
use crate::exchange::Exchange;
use crate::response::Response;

/// nginx: `ngx_http_headers_filter`
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let settings = &ex.location.headers;
    let good = matches!(response.status, 200 | 201 | 204 | 206 | 301..=304 | 307 | 308);
    if good {
        expires::apply(ex, response);
    }
    for field in &settings.add {
        if good || field.always {
            let value = ex.render(&field.value);
            add(response, &field.name, value);
        }
    }
}

fn add(response: &mut Response, name: &Bytes, value: Bytes) {
    if name.eq_ignore_ascii_case(b"Last-Modified") {
        response.last_modified = parse_http_date(&value);
        response.headers.remove(name);
        if response.last_modified.is_none() && !value.is_empty() {
            response.headers.push(name.clone(), value);
        }
    } else if name.eq_ignore_ascii_case(b"ETag") {
        response.headers.remove(name);
        if !value.is_empty() {
            response.headers.push(name.clone(), value);
        }
    } else if !value.is_empty() {
        response.headers.push(name.clone(), value);
    }
}
