//! The head of an answer in HTTP/1, in nginx's order and spelling.

pub mod http2;

use std::time::Duration;

use bytes::{BufMut, BytesMut};

use crate::date::{Now, http_date};
use crate::head::Version;
use crate::response::Response;
use crate::status;

/// What an answer's head depends on besides the answer.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The version the client speaks.
    pub version: Version,
    /// Whether the request was HEAD.
    pub head_only: bool,
    /// Whether client and configuration let the connection live on.
    pub keep_alive: bool,
    /// `chunked_transfer_encoding`
    pub chunked: bool,
    /// The name in `Server`.
    pub server: &'a [u8],
    /// What makes a local `Location` absolute, `http://example.com:8080`; `None` where it stays
    /// local.
    pub base: Option<&'a [u8]>,
    /// The second value of `keepalive_timeout`.
    pub keepalive_header: Option<Duration>,
}

/// How the client will know where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// It was told how long the body is.
    Length(u64),
    /// The body is to be sent in chunks.
    Chunked,
    /// The connection is to be closed behind the body.
    Close,
    /// The connection is no longer HTTP.
    Tunnel,
}

/// What a written head means for what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// How the body is to be sent.
    pub framing: Framing,
    /// Whether another request may follow.
    pub keep_alive: bool,
}

/// Writes the head of `response` behind `out` (nginx: `ngx_http_header_filter`). For HTTP/0.9 that
/// is nothing.
pub fn write(response: &Response, frame: &Frame<'_>, out: &mut BytesMut) -> Promise {
    let promise = promise(response, frame);
    if frame.version == Version::Http09 {
        return promise;
    }
    // Every line's end is written by the one behind it, so that there is less to write.
    out.reserve(512);
    write_status(response, out);
    let has = |name: &str| response.headers.contains(name);
    if !response.without_server && !has("Server") {
        line(out, b"\r\nServer: ", frame.server);
    }
    if !response.without_date && !has("Date") {
        Now::with(|now| line(out, b"\r\nDate: ", &now.http));
    }
    write_body_fields(response, promise, out);
    let local = response.location.as_ref().filter(|location| location.starts_with(b"/"));
    if let (Some(location), Some(base)) = (local, frame.base) {
        field(out, b"Location", &[base, location].concat());
    }
    if promise.framing == Framing::Chunked {
        out.extend_from_slice(b"\r\nTransfer-Encoding: chunked");
    }
    out.extend_from_slice(match promise {
        Promise { framing: Framing::Tunnel, .. } => b"\r\nConnection: upgrade",
        Promise { keep_alive: true, .. } => b"\r\nConnection: keep-alive",
        _ => b"\r\nConnection: close",
    });
    if let (true, Some(time)) = (promise.keep_alive, frame.keepalive_header) {
        field(out, b"Keep-Alive", format!("timeout={}", time.as_secs()).as_bytes());
    }
    if let Some(location) = &response.location
        && (local.is_none() || frame.base.is_none())
    {
        field(out, b"Location", location);
    }
    for header in &response.headers {
        field(out, &header.name, &header.value);
    }
    out.extend_from_slice(b"\r\n\r\n");
    promise
}

fn promise(response: &Response, frame: &Frame<'_>) -> Promise {
    let keep_alive = frame.keep_alive && !response.close && frame.version > Version::Http09;
    let length = response.content_length;
    let chunks = frame.version >= Version::Http11 && frame.chunked;
    let framing = match response.status {
        101 => Framing::Tunnel,
        code if frame.head_only || status::is_without_body(code) => Framing::None,
        _ => match length {
            Some(length) if !(chunks && response.trailers.is_some()) => Framing::Length(length),
            _ if chunks => Framing::Chunked,
            _ => Framing::Close,
        },
    };
    let keep_alive = keep_alive && !matches!(framing, Framing::Close | Framing::Tunnel);
    Promise { framing, keep_alive }
}

/// Without its end.
fn write_status(response: &Response, out: &mut BytesMut) {
    let code = status::on_wire(response.status);
    match &response.reason {
        None if code == 200 => return out.extend_from_slice(b"HTTP/1.1 200 OK"),
        Some(reason) if code == 200 && reason == "OK" => {
            return out.extend_from_slice(b"HTTP/1.1 200 OK");
        }
        _ => {}
    }
    out.put_slice(b"HTTP/1.1 ");
    out.put_slice(itoa::Buffer::new().format(code).as_bytes());
    match &response.reason {
        Some(reason) if reason.is_empty() => {}
        Some(reason) => {
            out.put_u8(b' ');
            out.put_slice(reason);
        }
        None => {
            out.put_u8(b' ');
            out.put_slice(status::reason(code).as_bytes());
        }
    }
}

fn write_body_fields(response: &Response, promise: Promise, out: &mut BytesMut) {
    let code = response.status;
    if code != 204 {
        if let Some(content_type) = &response.content_type {
            line(out, b"\r\nContent-Type: ", content_type);
            if let Some(charset) = &response.charset {
                line(out, b"; charset=", charset);
            }
        }
        let told = code != 101 && promise.framing != Framing::Chunked;
        if let Some(length) = response.content_length.filter(|_| told) {
            line(out, b"\r\nContent-Length: ", itoa::Buffer::new().format(length).as_bytes());
        }
    }
    let dated = matches!(code, 200 | 206 | 304) && !response.headers.contains("Last-Modified");
    if let Some(time) = response.last_modified.filter(|_| dated) {
        line(out, b"\r\nLast-Modified: ", &http_date(time));
    }
}

fn field(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 8);
    line(out, b"\r\n", name);
    line(out, b": ", value);
}

/// By the length of what it begins with, which is known.
fn line<const N: usize>(out: &mut BytesMut, start: &[u8; N], value: &[u8]) {
    out.extend_from_slice(start);
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Body;

    const FRAME: Frame<'_> = Frame {
        version: Version::Http11,
        head_only: false,
        keep_alive: true,
        chunked: true,
        server: b"tidegate",
        base: Some(b"http://a:8080"),
        keepalive_header: None,
    };

    fn text(response: &Response, frame: &Frame<'_>) -> (String, Promise) {
        let mut out = BytesMut::new();
        let promise = write(response, frame, &mut out);
        let text = String::from_utf8(out.to_vec()).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("Date: "));
        (lines.collect::<Vec<_>>().join("|"), promise)
    }

    #[test]
    fn fields_stand_in_nginxs_order() {
        let mut response = Response::new(200).with_type("text/html");
        response.charset = Some("utf-8".into());
        response.last_modified = Some(0);
        response.headers.push("ETag", "\"x\"");
        let frame = Frame { keepalive_header: Some(Duration::from_secs(20)), ..FRAME };
        let (text, promise) = text(&response, &frame);
        assert_eq!(
            text,
            "HTTP/1.1 200 OK|Server: tidegate|Content-Type: text/html; charset=utf-8|\
             Content-Length: 0|Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT|\
             Connection: keep-alive|Keep-Alive: timeout=20|ETag: \"x\"|"
        );
        assert_eq!(promise, Promise { framing: Framing::Length(0), keep_alive: true });
    }

    #[test]
    fn an_unknown_length_is_chunked_or_ends_the_connection() {
        let response = Response { content_length: None, ..Response::new(200) };
        let promise = |frame: &Frame<'_>| text(&response, frame).1;
        let old = Frame { version: Version::Http10, ..FRAME };
        let off = Frame { chunked: false, ..FRAME };
        let head = Frame { head_only: true, ..FRAME };
        assert_eq!(promise(&FRAME), Promise { framing: Framing::Chunked, keep_alive: true });
        assert_eq!(promise(&old), Promise { framing: Framing::Close, keep_alive: false });
        assert_eq!(promise(&off), Promise { framing: Framing::Close, keep_alive: false });
        assert_eq!(promise(&head), Promise { framing: Framing::None, keep_alive: true });
        assert!(text(&response, &FRAME).0.contains("Transfer-Encoding: chunked|Connection"));
        assert!(!text(&response, &head).0.contains("Transfer-Encoding"));
    }

    #[test]
    fn fields_behind_a_body_need_chunks() {
        let response = Response { trailers: Some(std::rc::Rc::default()), ..Response::new(200) };
        let (head, promise) = text(&response, &FRAME);
        assert_eq!(promise.framing, Framing::Chunked);
        assert!(!head.contains("Content-Length"), "{head}");
        let old = Frame { version: Version::Http10, ..FRAME };
        assert_eq!(text(&response, &old).1.framing, Framing::Length(0));
    }

    #[test]
    fn no_content_has_no_type_and_no_length() {
        let response = Response::new(204).with_type("text/html");
        assert_eq!(
            text(&response, &FRAME).0,
            "HTTP/1.1 204 No Content|Server: tidegate|Connection: keep-alive|"
        );
    }

    #[test]
    fn a_local_redirect_becomes_absolute_where_told() {
        let at = |location: &'static str, base| {
            let response = Response { location: Some(location.into()), ..Response::new(302) };
            text(&response, &Frame { base, ..FRAME }).0
        };
        let local = at("/x", Some(&b"http://a:8080"[..]));
        assert!(local.contains("Location: http://a:8080/x|Connection"), "{local}");
        let kept = at("/x", None);
        assert!(kept.ends_with("Connection: keep-alive|Location: /x|"), "{kept}");
        let far = at("https://b/", Some(&b"http://a:8080"[..]));
        assert!(far.ends_with("Connection: keep-alive|Location: https://b/|"), "{far}");
    }

    #[test]
    fn codes_of_nginxs_own_are_400_and_upstreams_keep_their_reason() {
        let mut response = Response::new(494).with_body(Body::Empty);
        assert!(text(&response, &FRAME).0.starts_with("HTTP/1.1 400 Bad Request|"));
        response = Response { reason: Some("Fine".into()), ..Response::new(299) };
        assert!(text(&response, &FRAME).0.starts_with("HTTP/1.1 299 Fine|"));
        assert!(text(&Response::new(299), &FRAME).0.starts_with("HTTP/1.1 299 |"));
    }

    #[test]
    fn an_upgraded_connection_is_a_tunnel() {
        let (text, promise) = text(&Response::new(101), &FRAME);
        assert_eq!(promise, Promise { framing: Framing::Tunnel, keep_alive: false });
        assert!(text.contains("Connection: upgrade|") && !text.contains("Content-Length"));
    }

    #[test]
    fn http_09_has_no_head() {
        let (text, promise) =
            text(&Response::new(200), &Frame { version: Version::Http09, ..FRAME });
        assert_eq!((text.as_str(), promise.keep_alive), ("", false));
    }
}
