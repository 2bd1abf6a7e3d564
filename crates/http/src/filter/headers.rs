//! headers: `add_header`, `add_trailer` and `expires`.

mod expires;

use bytes::Bytes;
use tidegate_config::http::headers::{AddHeader, Expires};

use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::response::Response;

/// Adds the fields that the configuration gives an answer (nginx: `ngx_http_headers_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: Box<Response>) -> Box<Response> {
    let location = ex.location;
    let headers = &location.headers;
    if headers.add.is_empty() && headers.trailers.is_empty() && headers.expires == Expires::Off {
        return response;
    }
    // While values are made, the answer is where `$sent_http_…` looks for it.
    ex.sent.status = response.status;
    ex.sent.answer = Some(response);
    let safe = is_safe(ex.sent.status);
    if safe {
        expires::apply(ex);
    }
    for header in headers.add.iter().filter(|header| safe || header.always) {
        let value = sanitise(ex.render(&header.value));
        if let Some(answer) = &mut ex.sent.answer {
            add(answer, header, value);
        }
    }
    let mut response = ex.sent.answer.take().unwrap_or_default();
    if headers.trailers.iter().any(|trailer| safe || trailer.always) {
        response.trailers.get_or_insert_default();
    }
    response
}

impl Exchange<'_> {
    /// All fields behind the body: those that came with it, then those that the configuration adds.
    /// Whoever writes the answer asks once, when the body has gone.
    pub fn trailers(&mut self) -> Headers {
        let Some(fields) = self.sent.trailers().cloned() else { return Headers::new() };
        let location = self.location;
        let safe = is_safe(self.sent.status);
        for trailer in location.headers.trailers.iter().filter(|trailer| safe || trailer.always) {
            let value = sanitise(self.render(&trailer.value));
            if !value.is_empty() {
                fields.borrow_mut().push(trailer.name.clone(), value);
            }
        }
        fields.borrow().clone()
    }
}

/// The statuses that get fields without `always`.
fn is_safe(status: u16) -> bool {
    matches!(status, 200 | 201 | 204 | 206 | 301 | 302 | 303 | 304 | 307 | 308)
}

/// A value out of a variable must not begin another line.
pub(super) fn sanitise(value: Bytes) -> Bytes {
    if !value.iter().any(|byte| b"\0\r\n".contains(byte)) {
        return value;
    }
    value.iter().map(|&byte| if b"\0\r\n".contains(&byte) { b' ' } else { byte }).collect()
}

fn add(response: &mut Response, header: &AddHeader, value: Bytes) {
    let name = &header.name;
    if name.eq_ignore_ascii_case(b"Last-Modified") {
        response.last_modified = None;
    } else if !name.eq_ignore_ascii_case(b"ETag") {
        if !value.is_empty() {
            response.headers.push(name.clone(), value);
        }
        return;
    }
    if value.is_empty() {
        response.headers.remove(name);
    } else {
        response.headers.replace(name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validator_is_replaced_or_taken_away() {
        let mut response = Response { last_modified: Some(1), ..Response::new(200) };
        response.headers.push("ETag", "\"a\"");
        let header = |name: &'static str| AddHeader {
            name: name.into(),
            value: tidegate_config::value::template::Template::default(),
            always: false,
        };
        add(&mut response, &header("etag"), "\"b\"".into());
        add(&mut response, &header("Last-Modified"), Bytes::new());
        add(&mut response, &header("X-Empty"), Bytes::new());
        add(&mut response, &header("Link"), "a".into());
        add(&mut response, &header("Link"), "b".into());
        assert_eq!(response.headers.get("ETag").unwrap(), "\"b\"");
        assert_eq!((response.headers.len(), response.last_modified), (3, None));
        add(&mut response, &header("ETag"), Bytes::new());
        assert!(!response.headers.contains("ETag"));
    }

    #[test]
    fn a_value_stays_on_its_line() {
        assert_eq!(sanitise("a\r\nb\0".into()), "a  b ");
    }
}
