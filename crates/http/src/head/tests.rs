//! Heads that nginx 1.31.3 was asked about, and what it made of them.

use proptest::prelude::*;

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

fn parse_with(bytes: &[u8], rules: &Rules) -> Parsed {
    Parser::new().parse(&mut BytesMut::from(bytes), rules)
}

fn head(bytes: &[u8]) -> RequestHead {
    match parse_with(bytes, &RULES) {
        Parsed::Complete(head) => *head,
        other => panic!("{other:?} of {:?}", String::from_utf8_lossy(bytes)),
    }
}

/// The status, 200 where the head is good.
fn status_with(bytes: &[u8], rules: &Rules) -> u16 {
    match parse_with(bytes, rules) {
        Parsed::Complete(_) => 200,
        Parsed::Fault(fault, _) => fault.status(),
        Parsed::Partial => 0,
    }
}

fn status(bytes: &[u8]) -> u16 {
    status_with(bytes, &RULES)
}

fn line_status(line: &[u8]) -> u16 {
    status(&[line, b"\r\nHost: a\r\n\r\n"].concat())
}

fn field_status(field: &[u8]) -> u16 {
    status(&[b"GET / HTTP/1.1\r\nHost: a\r\n", field, b"\r\n\r\n"].concat())
}

#[test]
fn request_lines_get_nginxs_status() {
    for (line, expected) in [
        (&b"GET / HTTP/1.1"[..], 200),
        (b"OPTIONS * HTTP/1.1", 400),
        (b"OPTIONS / HTTP/1.1", 200),
        (b"CONNECT a:80 HTTP/1.1", 405),
        (b"CONNECT [::1]:80 HTTP/1.1", 405),
        (b"CONNECT a:99999 HTTP/1.1", 400),
        (b"CONNECT a HTTP/1.1", 400),
        (b"CONNECT a: HTTP/1.1", 400),
        (b"CONNECT a:80/ HTTP/1.1", 400),
        (b"CONNECT / HTTP/1.1", 400),
        (b"TRACE / HTTP/1.1", 405),
        (b"get / HTTP/1.1", 400),
        (b"GeT / HTTP/1.1", 400),
        (b"FO-O_ / HTTP/1.1", 200),
        (b"_ / HTTP/1.1", 200),
        (b"M2 / HTTP/1.1", 400),
        (b" / HTTP/1.1", 400),
        (b"GET\t/ HTTP/1.1", 400),
        (b"GET /a\tb HTTP/1.1", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /a Hb HTTP/1.1", 400),
        (b"GET /\x01 HTTP/1.1", 400),
        (b"GET /\x7f HTTP/1.1", 400),
        (b"GET /?\x01 HTTP/1.1", 400),
        (b"GET /\0 HTTP/1.1", 400),
        (b"GET /\xc3\xa4\xff HTTP/1.1", 200),
        (b"GET /\"<>^`{|}\\ HTTP/1.1", 200),
        (b"GET / HTTP/1.1\r", 400),
        (b"GET /\rx HTTP/1.1", 400),
        (b"GET x HTTP/1.1", 400),
        (b"GET ?x HTTP/1.1", 400),
        (b"GET a:80 HTTP/1.1", 400),
        (b"GET http:/a HTTP/1.1", 400),
        (b"GET   /   HTTP/1.1  ", 200),
        (b"GET /%00 HTTP/1.1", 400),
        (b"GET /%zz HTTP/1.1", 400),
        (b"GET /../a HTTP/1.1", 400),
        (b"GET /%zz HTTP/2.0", 505),
        (b"PRI * HTTP/2.0", 400),
        (b"GET", 400),
        (b"GET ", 400),
    ] {
        assert_eq!(line_status(line), expected, "{:?}", String::from_utf8_lossy(line));
    }
}

#[test]
fn versions_get_nginxs_status() {
    for (version, expected) in [
        ("HTTP/1.2", 200),
        ("HTTP/1.99", 200),
        ("HTTP/1.100", 200),
        ("HTTP/1.01", 200),
        ("HTTP/01.1", 400),
        ("HTTP/1.", 400),
        ("HTTP/1", 400),
        ("HTTP/2.0", 505),
        ("HTTP/0.9", 400),
        ("HTTP/11.1", 505),
        ("HTTP/3junk", 505),
        ("http/1.1", 400),
        ("HTTPS/1.1", 400),
        ("HTTP/1.1x", 400),
        ("HTTP/1.1 x", 400),
    ] {
        assert_eq!(line_status(format!("GET / {version}").as_bytes()), expected, "{version}");
    }
}

#[test]
fn absolute_targets_name_the_host() {
    for (target, expected) in [
        ("http://Foo.com:81/x?y", Some(("foo.com", Some(81), "/x?y", "/x"))),
        ("http://foo.com", Some(("foo.com", None, "/", "/"))),
        ("http://foo.com?a=b", Some(("foo.com", None, "?a=b", "/"))),
        ("http://[::1]:8/", Some(("[::1]", Some(8), "/", "/"))),
        ("ftp+x-1.://foo/", Some(("foo", None, "/", "/"))),
        ("http://a:/", Some(("a", None, "/", "/"))),
        ("http://a:", Some(("a", None, "/", "/"))),
        ("http:///x", None),
        ("http://u@foo.com/", None),
        ("http://a_b/", None),
        ("http://a:8x/", None),
        ("http://a:99999/", None),
        ("http://..", None),
    ] {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: b:90\r\n\r\n");
        let Some((host, port, raw, path)) = expected else {
            assert_eq!(status(bytes.as_bytes()), 400, "{target}");
            continue;
        };
        let head = head(bytes.as_bytes());
        assert_eq!(head.host.unwrap(), host);
        assert_eq!((head.port, head.target, head.uri.path), (port, raw.into(), path.into()));
    }
    assert_eq!(status(b"GET http://foo.com/ HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(status(b"GET http://a/ HTTP/1.1\r\nHost: ^\r\n\r\n"), 400);
}

#[test]
fn a_line_without_a_version_is_a_whole_head() {
    let head = head(b"GET /x  \r\n");
    assert_eq!((head.version, head.target.as_ref()), (Version::Http09, &b"/x"[..]));
    assert_eq!((head.line.as_ref(), head.keep_alive), (&b"GET /x  "[..], false));
    let Parsed::Fault(fault, refused) = parse_with(b"POST /x\r\n", &RULES) else { panic!() };
    assert_eq!((fault.status(), refused.version), (400, Version::Http09));
    assert_eq!(status(b"GET http://foo.com\r\n"), 400);
    assert_eq!(status(b"GET http://foo.com \r\n"), 200);
}

#[test]
fn fields_get_nginxs_status() {
    for (field, expected) in [
        (&b"Foo"[..], 200),
        (b"Host: a", 400),
        (b"hOST: a", 400),
        (b"X : 1", 400),
        (b"X\t: 1", 400),
        (b"X: 1\r\n  2", 400),
        (b"X: 1\r\n\t2", 400),
        (b": x", 400),
        (b"X\x01: 1", 400),
        (b"X\x7f: 1", 400),
        (b"X\0: 1", 400),
        (b"X: \0 1", 400),
        (b"X: a \0", 400),
        (b"X: a\x01b\x7f\xff", 200),
        (b"X: a\rb", 400),
        (b"X: a \rb", 400),
        (b"X: a\r\r", 200),
        (b"X\ra: 1", 400),
        (b"\r\r", 400),
        (b"\rX: 1", 400),
        (b"X(: 1", 200),
        (b"Content-Length: 3, 3", 400),
        (b"Content-Length: -3", 400),
        (b"Content-Length: +3", 400),
        (b"Content-Length:", 400),
        (b"Content-Length: \t3", 400),
        (b"Content-Length: 9223372036854775807", 200),
        (b"Content-Length: 9223372036854775808", 400),
        (b"Content-Length: 0000000000000000000000000000", 200),
        (b"Content-Length: 3\r\nContent-Length: 3", 400),
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: CHUNKED", 200),
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: identity", 501),
        (b"Transfer-Encoding:", 501),
        (b"Transfer-Encoding: chunked\t", 501),
        (b"Transfer-Encoding: gzip\r\nContent-Length: 3", 501),
        (b"Expect: foo", 200),
        (b"If-Match: a\r\nIf-Match: a", 400),
        (b"Authorization: a\r\nauthorization: b", 400),
        (b"Range: a\r\nRange: b", 200),
        (b"Cookie: a\r\nCookie: b", 200),
    ] {
        assert_eq!(field_status(field), expected, "{:?}", String::from_utf8_lossy(field));
    }
    assert_eq!(status(b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    assert_eq!(status(b"GET / HTTP/1.0\r\n\r\n"), 200);
    assert_eq!(status(b"GET / HTTP/1.1\r\n\r\n"), 400);
}

#[test]
fn hosts_are_normalised_or_refused() {
    for (host, expected) in [
        ("A.B.", Some(("a.b", None))),
        (".a", Some((".a", None))),
        ("a:", Some(("a", None))),
        ("a:0", Some(("a", None))),
        ("a:080", Some(("a", Some(80)))),
        ("a.:80", Some(("a", Some(80)))),
        ("a:65535", Some(("a", Some(65535)))),
        ("[::1]:80", Some(("[::1]", Some(80)))),
        ("[]", Some(("[]", None))),
        ("a_b!$%&'()*+,;=~", Some(("a_b!$%&'()*+,;=~", None))),
        ("", None),
        (".", None),
        ("..", None),
        ("a..b", None),
        ("a.b..", None),
        ("a:x", None),
        ("a:99999", None),
        ("a:1:2", None),
        ("a:1.", None),
        ("[a].", None),
        ("[::1", None),
        ("[fe80::1%25eth0]", None),
        ("::1", None),
        ("a/b", None),
        ("a b", None),
        ("a\\b", None),
        ("a@b", None),
        ("a\"b", None),
        ("\u{e9}", None),
        ("a\u{1}", None),
    ] {
        let found = normalise_host(&Bytes::copy_from_slice(host.as_bytes()));
        assert_eq!(found, expected.map(|(host, port)| (Bytes::from(host), port)), "{host}");
    }
}

#[test]
fn values_lose_spaces_but_not_tabs() {
    let head = head(b"GET / HTTP/1.1\r\nHost: a\r\nX:   a  b   \r\nY:\ta\t\r\nZ\r\nW:\r\n\r\n");
    let values: Vec<&[u8]> =
        head.headers.iter().skip(1).map(|field| field.value.as_ref()).collect();
    assert_eq!(values, [&b"a  b"[..], b"\ta\t", b"", b""]);
}

#[test]
fn odd_names_are_dropped_unless_the_rules_say_otherwise() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nX_A: 1\r\nX(: 2\r\nX.A: 3\r\n\r\n";
    let names = |rules: &Rules| match parse_with(bytes, rules) {
        Parsed::Complete(head) => (head.headers.len(), head.ignored.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(names(&RULES), (1, 3));
    assert_eq!(names(&Rules { underscores: true, ..RULES }), (2, 2));
    assert_eq!(names(&Rules { ignore_invalid: false, ..RULES }), (4, 0));
}

#[test]
fn the_last_connection_field_that_says_something_decides() {
    let keeps = |version: &str, fields: &str| {
        head(format!("GET / {version}\r\nHost: a\r\n{fields}\r\n").as_bytes()).keep_alive
    };
    assert!(keeps("HTTP/1.1", ""));
    assert!(!keeps("HTTP/1.0", ""));
    assert!(!keeps("HTTP/1.1", "Connection: xCLOSEx\r\n"));
    assert!(keeps("HTTP/1.1", "Connection: close\r\nConnection: keep-alive\r\n"));
    assert!(!keeps("HTTP/1.1", "Connection: keep-alive, close\r\n"));
    assert!(keeps("HTTP/1.0", "Connection: Keep-Alive\r\nConnection: x\r\n"));
}

#[test]
fn too_long_lines_and_heads_are_told_apart() {
    let rules = Rules { buffer_size: 256, large_buffers: 2, large_buffer_size: 512, ..RULES };
    let line = |length: usize, fields: &str| {
        let path = "a".repeat(length - 16);
        format!("GET /{path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
    };
    let fields = |length: usize, count: usize| {
        let field = format!("Y: {}\r\n", "a".repeat(length - 5));
        line(20, &field.repeat(count))
    };
    for (bytes, expected) in [
        (line(512, ""), 200),
        (line(513, ""), 414),
        (fields(512, 1), 200),
        (fields(513, 1), 494),
        (fields(400, 2), 200),
        (fields(400, 3), 494),
        (line(400, &format!("Y: {}\r\n", "a".repeat(400))), 200),
        (line(400, &format!("Y: {}\r\n", "a".repeat(400)).repeat(2)), 494),
    ] {
        assert_eq!(status_with(&bytes, &rules), expected);
    }
    assert_eq!(status_with(&[b'A'; 512], &rules), 414);
    assert_eq!(status_with(&[b'A'; 511], &rules), 0);
    let method = |start: &str| match parse_with(&[start.as_bytes(), &[b'a'; 600]].concat(), &rules)
    {
        Parsed::Fault(fault, head) => (fault.status(), head.method),
        parsed => panic!("{parsed:?}"),
    };
    assert_eq!(method("HEAD /"), (414, Method::HEAD));
    assert_eq!(method("POST /"), (414, Method::POST));
    assert_eq!(method("HEAD /\x01"), (400, Method::HEAD));
    assert_eq!(method("head /"), (400, Method::GET));
    let few = Rules { max_headers: 3, ..RULES };
    assert_eq!(status_with(&fields(10, 2), &few), 200);
    assert_eq!(status_with(&fields(10, 3), &few), 494);
}

#[test]
fn what_is_no_http_is_refused_before_the_line_ends() {
    assert_eq!(status(b"\x16\x03\x01"), 400);
    assert_eq!(status(b"GET"), 0);
    assert_eq!(status(b"GET /"), 0);
    let Parsed::Fault(fault, head) = parse_with(b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", &RULES)
    else {
        panic!("not refused")
    };
    assert_eq!((head.line.as_ref(), head.version), (&b"GET /\x01 HTTP/1.1"[..], Version::Http10));
    assert_eq!(fault.to_string(), "client sent invalid request");
    assert_eq!(fault.action(), "reading client request line");
}

#[test]
fn faults_quote_what_they_complain_of() {
    let words = |field: &str| {
        let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n");
        match parse_with(bytes.as_bytes(), &RULES) {
            Parsed::Fault(fault, _) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(words("X: a\rb"), "client sent invalid header line: \"X: a\\x0d...\"");
    assert_eq!(words("X : a"), "client sent invalid header line: \"X\\x20...\"");
    assert_eq!(
        words("hOST: b"),
        "client sent duplicate host header: \"hOST: b\", previous value: \"Host: a\""
    );
}

#[test]
fn heads_that_follow_each_other_are_read_one_by_one() {
    let mut buffer = BytesMut::from(
        &b"\r\n\n\rGET /1 HTTP/1.1\nHost: a\n\n\r\nPOST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nxy"[..],
    );
    let mut parser = Parser::new();
    for (path, body) in [("/1", false), ("/2", true)] {
        let Parsed::Complete(head) = parser.parse(&mut buffer, &RULES) else { panic!("bad head") };
        assert_eq!((head.uri.path.as_ref(), head.has_body()), (path.as_bytes(), body));
    }
    assert_eq!(buffer, "xy");
    assert!(!parser.has_begun());
}

proptest! {
    #[test]
    fn no_split_changes_what_is_read(
        bytes in "(GET|POST|x) [/a.%2?]{1,8} HTTP/1.[01]\r?\n(Host: a\r?\n)?([A-Z_]{1,3}:? ?[ -~]{0,5}\r?\n){0,4}\r?\n?",
        at in 0usize..80,
    ) {
        let bytes = bytes.as_bytes();
        let whole = format!("{:?}", parse_with(bytes, &RULES));
        let (left, right) = bytes.split_at(at.min(bytes.len()));
        for pieces in [vec![left, right], bytes.chunks(1).collect()] {
            let (mut parser, mut buffer) = (Parser::new(), BytesMut::new());
            let mut found = Parsed::Partial;
            for piece in pieces {
                buffer.extend_from_slice(piece);
                if matches!(found, Parsed::Partial) {
                    found = parser.parse(&mut buffer, &RULES);
                }
            }
            // A fault may be seen earlier, with less of the line at hand.
            match found {
                Parsed::Fault(fault, _) => {
                    let fault = format!("{fault:?}");
                    prop_assert!(whole.contains(&fault), "{} in {}", fault, whole);
                }
                found => prop_assert_eq!(format!("{found:?}"), whole.clone()),
            }
        }
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_with(&bytes, &RULES);
        let _ = field_status(&bytes);
        let _ = normalise_host(&Bytes::from(bytes));
    }
}

#[test]
fn what_stands_behind_a_head_is_left_alone() {
    for (bytes, behind) in [
        (&b"GET / HTTP/1.0\r\n\r\nbody"[..], &b"body"[..]),
        (b"GET / HTTP/1.0\r\n\r\n", b""),
        // The head ends before what looks like its end.
        (b"GET / HTTP/1.0\nA: b\n\nGET /2 HTTP/1.0\r\n\r\nbody", b"GET /2 HTTP/1.0\r\n\r\nbody"),
        (b"GET /\r\nX: y\r\n\r\n", b"X: y\r\n\r\n"),
        (b"\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
    ] {
        let mut buffer = BytesMut::from(bytes);
        let parsed = Parser::new().parse(&mut buffer, &RULES);
        assert!(matches!(parsed, Parsed::Complete(_)), "{parsed:?}");
        assert_eq!(buffer, behind);
    }
}

#[test]
fn empty_lines_without_end_are_passed_over() {
    let mut buffer = BytesMut::from(b"\r\n".repeat(500_000).as_slice());
    assert!(matches!(Parser::new().parse(&mut buffer, &RULES), Parsed::Partial));
    assert!(buffer.is_empty());
}
