//! A request head as HTTP/2 carries it: in fields, some of them before the others, and no line.

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::fault::text;
use super::field::Field;
use super::host::normalise_host;
use super::{HeadFault, MAX_IGNORED, RequestHead, Rules, Version, judge};
use crate::headers::{Header, Headers};
use crate::uri::Uri;

/// What `$server_protocol` says.
const PROTOCOL: &str = "HTTP/2.0";

/// A head as its frames have said it (RFC 9113, section 8.3.1).
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// `:method`
    pub method: Method,
    /// `:authority`
    pub authority: Option<Bytes>,
    /// `:path`
    pub path: Bytes,
    /// The fields behind them, their names in lower case.
    pub fields: Headers,
    /// How many bytes carried it.
    pub length: u64,
    /// Whether no body follows.
    pub ended: bool,
}

impl Carried {
    /// Judges it by the rules that hold for a head of HTTP/1, in nginx's words. With a fault comes
    /// as much of the head as was good.
    pub fn judge(self, rules: &Rules) -> (Box<RequestHead>, Result<(), HeadFault>) {
        let mut head = Box::new(RequestHead {
            version: Version::Http2,
            protocol: Bytes::from_static(PROTOCOL.as_bytes()),
            length: self.length,
            headers: Headers::with_capacity(self.fields.len() + 1),
            ..RequestHead::default()
        });
        let judged = self.take(&mut head, rules);
        (head, judged)
    }

    fn take(self, head: &mut RequestHead, rules: &Rules) -> Result<(), HeadFault> {
        let bad = |byte: &u8| !(byte.is_ascii_uppercase() || *byte == b'_' || *byte == b'-');
        if self.method.as_str().bytes().any(|byte| bad(&byte)) {
            return Err(HeadFault::MethodName(self.method.to_string()));
        }
        head.method = self.method;
        if self.path.len() > rules.large_buffer_size {
            return Err(HeadFault::LongLine);
        }
        let path = || HeadFault::Path(text(&self.path));
        if !self.path.starts_with(b"/") {
            return Err(path());
        }
        head.target = self.path.clone();
        head.uri = Uri::parse(&self.path, rules.merge_slashes).map_err(|_| path())?;
        if let Some(authority) = &self.authority {
            let (host, port) = normalise_host(authority).ok_or(HeadFault::Authority)?;
            head.host = Some(host);
            head.port = port;
        }
        let line = [head.method.as_str().as_bytes(), b" ", &self.path, b" ", PROTOCOL.as_bytes()];
        head.line = line.concat().into();
        take_fields(head, &self.fields, rules)?;
        agree(head, self.authority)?;
        judge::finish(head)?;
        head.chunked = head.content_length.is_none() && !self.ended;
        Ok(())
    }
}

/// The fields behind a body. Names that nginx drops from a head (`ignore_invalid_headers`) are no
/// better here.
pub fn behind(map: &HeaderMap) -> Headers {
    let mut fields = Headers::with_capacity(map.len());
    for (name, value) in map {
        if is_valid(name.as_str().as_bytes(), false) {
            let name = Bytes::copy_from_slice(name.as_str().as_bytes());
            fields.push(name, trimmed(&Bytes::copy_from_slice(value.as_bytes())));
        }
    }
    fields
}

fn take_fields(head: &mut RequestHead, fields: &Headers, rules: &Rules) -> Result<(), HeadFault> {
    let mut cookies: Vec<&[u8]> = Vec::new();
    let all = rules.large_buffers.saturating_mul(rules.large_buffer_size);
    let mut left = all.saturating_sub(head.target.len());
    for (count, Header { name, value }) in fields.iter().enumerate() {
        let size = name.len() + value.len();
        if size > rules.large_buffer_size || size > left {
            return Err(HeadFault::long_header(name));
        }
        left -= size;
        if count >= rules.max_headers {
            return Err(HeadFault::TooManyHeaders);
        }
        let field = Field { name: name.clone(), value: trimmed(value), valid: true };
        if !is_valid(name, rules.underscores) && rules.ignore_invalid {
            if head.ignored.len() < MAX_IGNORED {
                head.ignored.push(name.clone());
            }
            continue;
        }
        judge::take_field(head, &field.name, &field.value)?;
        // Crumbs of one cookie may come apart (RFC 9113, section 8.2.3).
        if name.as_ref() == b"cookie" {
            cookies.push(value);
            continue;
        }
        head.headers.push(field.name, field.value);
    }
    match cookies.as_slice() {
        [] => {}
        [only] => head.headers.push("cookie", Bytes::copy_from_slice(only)),
        crumbs => head.headers.push("cookie", crumbs.join(&b"; "[..])),
    }
    Ok(())
}

/// `:authority` stands for `Host`; where both are there, they say the same.
fn agree(head: &mut RequestHead, authority: Option<Bytes>) -> Result<(), HeadFault> {
    match (authority, head.headers.get("Host")) {
        (Some(authority), Some(host)) if authority != *host => Err(HeadFault::TwoHosts),
        (Some(authority), None) => {
            head.headers.push_front("Host", authority);
            Ok(())
        }
        (None, None) => Err(HeadFault::NoAuthority),
        _ => Ok(()),
    }
}

fn trimmed(value: &Bytes) -> Bytes {
    value.slice_ref(value.trim_ascii())
}

fn is_valid(name: &[u8], underscores: bool) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    name.iter().all(|&byte| plain(byte) || (underscores && byte == b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        buffer_size: 1024,
        large_buffers: 4,
        large_buffer_size: 8192,
        max_headers: 1000,
        ignore_invalid: true,
        underscores: false,
        merge_slashes: true,
    };

    fn carried(authority: Option<&'static str>, fields: &[(&'static str, &str)]) -> Carried {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.push(*name, Bytes::copy_from_slice(value.as_bytes()));
        }
        let authority = authority.map(Bytes::from);
        let path = Bytes::from("/a%20b?c");
        Carried { authority, path, fields: headers, ended: true, ..Carried::default() }
    }

    fn judged(
        authority: Option<&'static str>,
        fields: &[(&'static str, &str)],
    ) -> Result<RequestHead, HeadFault> {
        let (head, judged) = carried(authority, fields).judge(&RULES);
        judged.map(|()| *head)
    }

    #[test]
    fn it_reads_like_a_head_of_http_1() {
        let head = judged(Some("A.test:81"), &[("x-a", " b "), ("a_b", "c")]).unwrap();
        assert_eq!(head.line, "GET /a%20b?c HTTP/2.0");
        assert_eq!((head.uri.path.as_ref(), head.uri.args.unwrap()), (&b"/a b"[..], "c".into()));
        assert_eq!((head.host.unwrap(), head.port.unwrap()), ("a.test".into(), 81));
        assert_eq!(head.headers.get("host").unwrap(), "A.test:81");
        assert_eq!(head.headers.get("x-a").unwrap(), "b");
        assert_eq!(head.ignored, ["a_b"]);
        assert!(!head.chunked);
    }

    #[test]
    fn a_host_is_named_once_or_alike() {
        assert!(judged(None, &[("host", "h")]).is_ok());
        assert!(judged(Some("h"), &[("host", "h")]).is_ok());
        assert_eq!(judged(Some("h"), &[("host", "H")]), Err(HeadFault::TwoHosts));
        assert_eq!(judged(None, &[]), Err(HeadFault::NoAuthority));
        assert_eq!(judged(Some("u@h"), &[]), Err(HeadFault::Authority));
        assert_eq!(judged(Some("a..b"), &[]), Err(HeadFault::Authority));
    }

    #[test]
    fn crumbs_of_a_cookie_are_joined() {
        let head = judged(Some("h"), &[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]).unwrap();
        assert_eq!(head.headers.all(b"Cookie").collect::<Vec<_>>(), ["a=1; b=2"]);
    }

    #[test]
    fn a_body_without_a_length_may_follow() {
        let (head, judged) = Carried { ended: false, ..carried(Some("h"), &[]) }.judge(&RULES);
        assert!(judged.is_ok() && head.chunked && head.has_body());
    }

    #[test]
    fn methods_paths_and_sizes_are_bounded() {
        let fault = |change: fn(&mut Carried)| {
            let mut one = carried(Some("h"), &[]);
            change(&mut one);
            one.judge(&RULES).1.unwrap_err().status()
        };
        assert_eq!(fault(|c| c.path = format!("/{}", "x".repeat(8192)).into()), 414);
        assert_eq!(fault(|c| c.path = "*".into()), 400);
        assert_eq!(fault(|c| c.path = "/../a".into()), 400);
        assert_eq!(fault(|c| c.method = Method::from_bytes(b"get").unwrap()), 400);
        assert_eq!(fault(|c| c.method = Method::TRACE), 405);
        assert_eq!(fault(|c| c.method = Method::CONNECT), 405);
        assert_eq!(fault(|c| c.fields.push("a", "x".repeat(8192))), 494);
        assert_eq!(fault(|c| (0..5).for_each(|_| c.fields.push("a", "x".repeat(8000)))), 494);
        assert_eq!(fault(|c| (0..1001).for_each(|_| c.fields.push("a", "x"))), 494);
        assert_eq!(fault(|c| c.fields.push("content-length", "x")), 400);
    }
}
