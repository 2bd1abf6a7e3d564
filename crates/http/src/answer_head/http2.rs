//! The head of an answer in HTTP/2: fields, in nginx's order.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{Frame, Framing, Promise};
use crate::date::{Now, http_date};
use crate::headers::Headers;
use crate::response::Response;
use crate::status;

/// The head of an answer, and what could not be carried.
#[derive(Debug)]
pub struct Fields {
    /// The status.
    pub status: StatusCode,
    /// The fields.
    pub map: HeaderMap,
    /// The names of fields with bytes that HTTP/2 does not allow.
    pub dropped: Vec<Bytes>,
    /// What follows the head.
    pub promise: Promise,
}

/// The head of `response` as HTTP/2 carries it (nginx: `ngx_http_v2_header_filter`). Fields that
/// speak of the connection are left out (RFC 9113, section 8.2.2).
pub fn fields(response: &Response, frame: &Frame<'_>) -> Fields {
    let code = status::on_wire(response.status);
    let bodyless = frame.head_only || status::is_without_body(code);
    let framing = match response.content_length {
        _ if bodyless => Framing::None,
        Some(length) => Framing::Length(length),
        None => Framing::Close,
    };
    let mut fields = Fields {
        status: StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        map: HeaderMap::with_capacity(response.headers.len() + 6),
        dropped: Vec::new(),
        promise: Promise { framing, keep_alive: false },
    };
    if !response.without_server && !response.headers.contains("Server") {
        fields.put(header::SERVER, Bytes::copy_from_slice(frame.server));
    }
    if !response.without_date && !response.headers.contains("Date") {
        fields.put(header::DATE, Now::with(|now| now.http.clone()));
    }
    fields.body(response, code);
    if let Some(location) = &response.location {
        let local = location.starts_with(b"/");
        fields.put(
            header::LOCATION,
            match frame.base.filter(|_| local) {
                Some(base) => [base, location].concat().into(),
                None => location.clone(),
            },
        );
    }
    for field in &response.headers {
        match HeaderName::from_bytes(&field.name) {
            Ok(name) if speaks_of_connection(&name) => {}
            Ok(name) => fields.put(name, field.value.clone()),
            Err(_) => fields.dropped.push(field.name.clone()),
        }
    }
    fields
}

impl Fields {
    fn put(&mut self, name: HeaderName, value: Bytes) {
        match HeaderValue::from_maybe_shared(value) {
            // A map has a bound of its own, which no buffer for a head reaches.
            Ok(value) => drop(self.map.try_append(name, value)),
            Err(_) => self.dropped.push(Bytes::copy_from_slice(name.as_str().as_bytes())),
        }
    }

    fn body(&mut self, response: &Response, code: u16) {
        if code != 204 {
            if let Some(content_type) = &response.content_type {
                let text = match &response.charset {
                    Some(charset) => [content_type, &b"; charset="[..], charset].concat().into(),
                    None => content_type.clone(),
                };
                self.put(header::CONTENT_TYPE, text);
            }
            if let Some(length) = response.content_length {
                let mut buffer = itoa::Buffer::new();
                let text = Bytes::copy_from_slice(buffer.format(length).as_bytes());
                self.put(header::CONTENT_LENGTH, text);
            }
        }
        let dated = matches!(code, 200 | 206 | 304) && !response.headers.contains("Last-Modified");
        if let Some(time) = response.last_modified.filter(|_| dated) {
            self.put(header::LAST_MODIFIED, Bytes::copy_from_slice(&http_date(time)));
        }
    }
}

/// Fields behind a body, those left out that HTTP/2 cannot carry.
pub fn trailers(fields: &Headers) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields {
        if let Ok(name) = HeaderName::from_bytes(&field.name)
            && let Ok(value) = HeaderValue::from_maybe_shared(field.value.clone())
            && !speaks_of_connection(&name)
        {
            let _ = map.try_append(name, value);
        }
    }
    map
}

fn speaks_of_connection(name: &HeaderName) -> bool {
    matches!(*name, header::CONNECTION | header::TRANSFER_ENCODING | header::UPGRADE | header::TE)
        || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Version;

    const FRAME: Frame<'_> = Frame {
        version: Version::Http2,
        head_only: false,
        keep_alive: false,
        chunked: true,
        server: b"tidegate",
        base: Some(b"https://a"),
        keepalive_header: None,
    };

    fn text(response: &Response, frame: &Frame<'_>) -> (u16, String, Promise) {
        let fields = fields(response, frame);
        let shown = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}={}", String::from_utf8_lossy(value.as_bytes()))
        };
        let lines = fields.map.iter().filter(|(name, _)| *name != "date").map(shown);
        (fields.status.as_u16(), lines.collect::<Vec<_>>().join("|"), fields.promise)
    }

    #[test]
    fn fields_stand_in_nginxs_order_and_in_lower_case() {
        let mut response = Response::new(302).with_type("text/html");
        response.charset = Some("utf-8".into());
        response.location = Some("/x".into());
        response.headers.push("ETag", "\"x\"");
        response.headers.push("Connection", "close");
        response.headers.push("X-Two", "1");
        response.headers.push("x-two", "2");
        let (status, text, promise) = text(&response, &FRAME);
        assert_eq!(
            (status, text.as_str()),
            (
                302,
                "server=tidegate|content-type=text/html; charset=utf-8|content-length=0|\
                 location=https://a/x|etag=\"x\"|x-two=1|x-two=2"
            )
        );
        assert_eq!(promise.framing, Framing::Length(0));
    }

    #[test]
    fn what_has_no_body_promises_none() {
        let framing = |status, head_only| {
            text(&Response::new(status), &Frame { head_only, ..FRAME }).2.framing
        };
        assert_eq!(framing(200, true), Framing::None);
        assert_eq!(framing(204, false), Framing::None);
        assert_eq!(framing(304, false), Framing::None);
        let open = Response { content_length: None, ..Response::new(200) };
        assert_eq!(text(&open, &FRAME).2.framing, Framing::Close);
    }

    #[test]
    fn bytes_that_cannot_be_carried_are_dropped_by_name() {
        let mut response = Response::new(200);
        response.headers.push("X A", "1");
        response.headers.push("X-B", "a\x01b");
        response.headers.push("X-C", "c");
        assert_eq!(fields(&response, &FRAME).dropped, ["X A", "x-b"]);
        assert!(text(&response, &FRAME).1.ends_with("|x-c=c"));
    }
}
