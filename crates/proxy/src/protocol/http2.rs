//! HTTP/2 to an upstream (RFC 9113): a request's head, and the head of its answer, in the library's
//! types. Frames are the library's, too; see `link/http2.rs`.

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use tidegate_http::headers::Headers;

use super::http1::Request;
use super::{Codec, Decode, Event, Head, Invalid};

/// A request to be sent.
#[derive(Debug)]
pub struct Http2 {
    head: http::Request<()>,
    /// What fields behind the body may not be named; `None` where they are not sent on.
    kept_back: Option<Vec<Bytes>>,
}

/// Fields that speak of a connection, which HTTP/2 does without (RFC 9113, 8.2.2), or that have a
/// place of their own.
const LEFT_OUT: [&str; 7] =
    ["Host", "Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "TE"];

impl Http2 {
    /// Makes a head of one for HTTP/1.1; `trailers` says that fields behind a body are welcome, `tls`
    /// that the connection is encrypted.
    pub fn new(request: &Request, trailers: bool, tls: bool) -> Self {
        let mut head = http::Request::new(());
        *head.method_mut() = http::Method::from_bytes(&request.method).unwrap_or_default();
        let host = request.headers.get("Host").cloned().unwrap_or_default();
        *head.uri_mut() = uri(&host, &request.target, tls);
        for field in &request.headers {
            if LEFT_OUT.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(&field.name)) {
                continue;
            }
            // What HTTP/2 cannot say is not said.
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(&field.name),
                HeaderValue::from_maybe_shared(field.value.clone()),
            ) {
                let length = name == http::header::CONTENT_LENGTH;
                head.headers_mut().append(name, value);
                if trailers && length {
                    head.headers_mut().insert("te", HeaderValue::from_static("trailers"));
                }
            }
        }
        if trailers {
            head.headers_mut().insert("te", HeaderValue::from_static("trailers"));
        }
        Self { head, kept_back: None }
    }

    /// Sends on what the client says behind its body, save fields that `named` speaks of: an
    /// upstream that mixes them into the head must not be told otherwise there.
    #[must_use]
    pub fn with_trailers(mut self, named: &[(&Bytes, Bytes)]) -> Self {
        self.kept_back = Some(named.iter().map(|(name, _)| (*name).clone()).collect());
        self
    }

    /// Its head.
    pub fn request(&self) -> &http::Request<()> {
        &self.head
    }

    /// What of a client's fields behind its body is sent on; `None` where nothing is.
    pub fn trailers(&self, fields: &Headers) -> Option<HeaderMap> {
        let kept_back = self.kept_back.as_ref()?;
        let named = |name: &str| kept_back.iter().any(|n| n.eq_ignore_ascii_case(name.as_bytes()));
        let mut map = HeaderMap::new();
        for field in fields {
            if let Ok(name) = HeaderName::from_bytes(&field.name)
                && let Ok(value) = HeaderValue::from_maybe_shared(field.value.clone())
                && !NEVER_BEHIND.contains(&name.as_str())
                && !self.head.headers().contains_key(&name)
                && !named(name.as_str())
            {
                map.append(name, value);
            }
        }
        Some(map).filter(|map| !map.is_empty())
    }
}

/// Fields that frame a message, route it, or say who it is of, which nobody may say behind a body
/// (RFC 9110, section 6.5.1).
const NEVER_BEHIND: [&str; 21] = [
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
];

impl Codec for Http2 {
    fn head(&self) -> &[u8] {
        b""
    }

    fn decoder(&self, _: usize) -> Box<dyn Decode> {
        Box::new(Elsewhere)
    }

    fn http2(&self) -> Option<&Http2> {
        Some(self)
    }
}

/// Frames are read where the connection is.
struct Elsewhere;

impl Decode for Elsewhere {
    fn decode(&mut self, _: &mut BytesMut, _: bool) -> Result<Option<Event>, Invalid> {
        Err(Invalid::Ended)
    }

    fn reusable(&self) -> bool {
        true
    }
}

fn uri(host: &[u8], target: &[u8], tls: bool) -> http::Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if tls { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP });
    parts.authority = http::uri::Authority::try_from(host)
        .ok()
        .or(Some(http::uri::Authority::from_static("localhost")));
    // The library takes fewer characters as they stand than clients may send.
    let mut path = Vec::with_capacity(target.len());
    for &byte in target {
        if byte <= b' ' || byte >= 0x7f || b"\"<>\\^`{|}#".contains(&byte) {
            path.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            path.push(byte);
        }
    }
    let path = http::uri::PathAndQuery::try_from(path).ok();
    parts.path_and_query = path.or(Some(http::uri::PathAndQuery::from_static("/")));
    http::Uri::from_parts(parts).unwrap_or_default()
}

/// The head of an answer; one without a body says so.
pub(crate) fn head(parts: &http::response::Parts, ended: bool) -> Result<Head, Invalid> {
    let headers = fields(&parts.headers);
    let length = headers.get("content-length");
    let length = match length {
        Some(value) => {
            let text = std::str::from_utf8(value).ok();
            let number = text.and_then(|text| text.parse::<u64>().ok());
            let number = number.filter(|&number| i64::try_from(number).is_ok());
            let invalid = || Invalid::ContentLength(value.escape_ascii().to_string());
            Some(number.ok_or_else(invalid)?)
        }
        None if ended => Some(0),
        None => None,
    };
    let size = headers.iter().map(|field| field.name.len() + field.value.len() + 4).sum();
    let status = parts.status.as_u16();
    Ok(Head { status, reason: None, headers, content_length: length, upgrade: false, size })
}

/// Fields of the library as ours.
pub(crate) fn fields(map: &HeaderMap) -> Headers {
    let mut headers = Headers::with_capacity(map.len());
    for (name, value) in map {
        let name = Bytes::copy_from_slice(name.as_str().as_bytes());
        headers.push(name, Bytes::copy_from_slice(value.as_bytes()));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_connection_are_left_out_and_the_host_moves() {
        let mut headers = Headers::new();
        for (name, value) in [
            ("Host", "app:81"),
            ("Connection", "close"),
            ("X-A", "1"),
            ("X-A", "2"),
            ("X Bad", "3"),
            ("TE", "gzip"),
        ] {
            headers.push(name, value);
        }
        let target = "/a<b?c|d".into();
        let request = Request { method: "POST".into(), target, headers, ..Request::default() };
        let http2 = Http2::new(&request, true, false);
        let head = http2.request();
        assert_eq!(head.uri().to_string(), "http://app:81/a%3Cb?c%7Cd");
        assert_eq!(head.method(), "POST");
        let fields: Vec<_> =
            head.headers().iter().map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(fields.len(), 3);
        assert_eq!(head.headers()["te"], "trailers");
        assert_eq!(head.headers().get_all("x-a").iter().count(), 2);
    }

    #[test]
    fn fields_behind_a_body_say_nothing_that_the_head_does() {
        let mut headers = Headers::new();
        headers.push("X-Said", "1");
        let request =
            Request { method: "POST".into(), target: "/".into(), headers, ..Request::default() };
        let mut fields = Headers::new();
        for name in ["x-t", "x-said", "x-set", "host", "authorization", "te"] {
            fields.push(name, "theirs");
        }
        let http2 = Http2::new(&request, false, false);
        assert_eq!(http2.trailers(&fields), None);
        let http2 = http2.with_trailers(&[(&"X-Set".into(), Bytes::new())]);
        let sent = http2.trailers(&fields).unwrap();
        assert_eq!(sent.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-t"]);
        assert_eq!(http2.trailers(&Headers::new()), None);
    }

    #[test]
    fn an_answer_that_has_ended_has_no_body() {
        let answer = http::Response::builder().status(503).header("x-a", "1").body(()).unwrap();
        let (parts, ()) = answer.into_parts();
        assert_eq!(head(&parts, true).unwrap().content_length, Some(0));
        assert_eq!(head(&parts, false).unwrap().content_length, None);
        let answer = http::Response::builder().header("content-length", "x").body(()).unwrap();
        assert!(head(&answer.into_parts().0, false).is_err());
    }
}
