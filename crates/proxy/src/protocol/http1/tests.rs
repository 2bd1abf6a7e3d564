//! What goes over the wire, byte by byte.

use proptest::prelude::*;

use super::*;
use crate::protocol::Head;

/// Feeds an answer in pieces of `step` bytes; bodies are joined.
fn read(answer: &[u8], step: usize, http: &Http1) -> (Vec<Event>, Vec<u8>, Option<Invalid>, bool) {
    let mut decoder = http.decoder(4096);
    let (mut events, mut body, mut input) = (Vec::new(), Vec::new(), BytesMut::new());
    let mut pieces = answer.chunks(step.max(1)).peekable();
    loop {
        let piece = pieces.next();
        input.extend_from_slice(piece.unwrap_or_default());
        loop {
            match decoder.decode(&mut input, piece.is_none()) {
                Ok(None) => break,
                Ok(Some(Event::Body(bytes))) => {
                    assert!(!bytes.is_empty());
                    body.extend_from_slice(&bytes);
                }
                Ok(Some(Event::End)) => {
                    events.push(Event::End);
                    return (events, body, None, decoder.reusable());
                }
                Ok(Some(event)) => events.push(event),
                Err(fault) => return (events, body, Some(fault), false),
            }
        }
        if piece.is_none() {
            return (events, body, None, decoder.reusable());
        }
    }
}

fn get() -> Http1 {
    Http1::new(&Request {
        method: "GET".into(),
        target: "/".into(),
        http11: true,
        ..Default::default()
    })
}

fn body_of(answer: &str) -> Result<(String, bool), Invalid> {
    let (_, body, fault, reusable) = read(answer.as_bytes(), usize::MAX, &get());
    fault.map_or(Ok((String::from_utf8(body).unwrap(), reusable)), Err)
}

fn head_of(answer: &str) -> Head {
    match read(answer.as_bytes(), usize::MAX, &get()).0.remove(0) {
        Event::Head(head) => head,
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_request_is_written_in_order_and_spelling() {
    let mut headers = Headers::new();
    headers.push("Host", "a");
    headers.push("x-Odd", "1");
    headers.push("x-Odd", "2");
    let target = "/%2F?q".into();
    let request = Request { method: "PUT".into(), target, headers, ..Default::default() };
    assert_eq!(
        Http1::new(&request).head(),
        b"PUT /%2F?q HTTP/1.0\r\nHost: a\r\nx-Odd: 1\r\nx-Odd: 2\r\n\r\n"
    );
}

#[test]
fn a_body_in_chunks_is_framed() {
    let http = Http1::new(&Request { chunked: true, ..Default::default() });
    let mut out = VecDeque::new();
    http.data(Bytes::from_static(b"hello world, hello"), &mut out);
    http.end(&mut out);
    let bytes: Vec<u8> = out.into_iter().flatten().collect();
    assert_eq!(bytes, b"12\r\nhello world, hello\r\n0\r\n\r\n");
}

#[test]
fn a_body_ends_by_length_chunk_or_close() {
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiEXTRA";
    assert_eq!(body_of(length), Ok(("hi".into(), true)));
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1;x=y\r\nh\r\n1\r\ni\r\n0\r\nT: v\r\n\r\n";
    assert_eq!(body_of(chunks), Ok(("hi".into(), true)));
    assert_eq!(body_of("HTTP/1.1 200 OK\r\n\r\nhi"), Ok(("hi".into(), false)));
    assert_eq!(body_of("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"), Ok(("hi".into(), false)));
    let close = "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(body_of(close), Ok(("hi".into(), false)));
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    assert_eq!(body_of("HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n"), Ok((String::new(), true)));
    let not_modified = "HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(body_of(not_modified), Ok((String::new(), true)));
    let head = Http1::new(&Request { method: "HEAD".into(), ..Default::default() });
    let (events, ..) = read(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 99, &head);
    assert!(
        matches!(&events[..], [Event::Head(head), Event::End] if head.content_length == Some(9))
    );
}

#[test]
fn interim_answers_come_before_the_head() {
    let answer = "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (events, ..) = read(answer.as_bytes(), 1, &get());
    assert!(matches!(&events[..], [Event::Hint(early), Event::Hint(_), Event::Head(_), Event::End]
        if early.status == 103 && early.headers.contains("link")));
}

#[test]
fn an_upgrade_leaves_the_rest_alone() {
    let http = Http1::new(&Request { upgrade: true, ..Default::default() });
    let mut input = BytesMut::from(&b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nfirst"[..]);
    let mut decoder = http.decoder(4096);
    let event = decoder.decode(&mut input, false).unwrap();
    assert!(matches!(event, Some(Event::Head(head)) if head.upgrade));
    assert_eq!(decoder.decode(&mut input, true), Ok(None));
    assert_eq!(&input[..], b"first");
    assert_eq!(body_of("HTTP/1.1 101 Switching\r\n\r\n"), Err(Invalid::Upgrade));
}

#[test]
fn lines_are_read_as_widely_as_nginx_reads_them() {
    let head =
        head_of("HTTP/1.1 200  Two Spaces \nNoColon\nX@Y:z \nA:   b\x01c\nHTTP/1.1 200 OK\r\n\n");
    assert_eq!(head.reason.unwrap(), " Two Spaces ");
    let fields: Vec<_> = head.headers.iter().map(|f| (&f.name[..], &f.value[..])).collect();
    assert_eq!(fields, [(&b"NoColon"[..], &b""[..]), (b"X@Y", b"z"), (b"A", b"b\x01c")]);
    assert_eq!(head_of("HTTP/1.1 403.1 IIS\r\n\r\n").reason.unwrap(), ".1 IIS");
    assert_eq!(head_of("HTTP/1.1 999\r\n\r\n").status, 999);
}

#[test]
fn rubbish_is_refused() {
    use Invalid::{Chunks, ContentLength, Ended, Field, LengthAndCoding, StatusLine, TooBig};
    let with = |text: &str| body_of(&format!("HTTP/1.1 200 OK\r\n{text}\r\n\r\n")).unwrap_err();
    assert_eq!(body_of("hello"), Err(StatusLine));
    assert_eq!(body_of("HTTP/1.1 200OK\r\n\r\n"), Err(StatusLine));
    assert_eq!(body_of("HTTP/1.1 20\r\n\r\n"), Err(StatusLine));
    assert_eq!(body_of("HTTP/1.1 099 x\r\n\r\n"), Err(StatusLine));
    assert_eq!(body_of("HTTP/1.1 200 OK\r\n"), Err(Ended));
    assert_eq!(with("X : 1"), Field("X\\x20...".into()));
    assert_eq!(with("A: b\r\n folded"), Field("\\x20...".into()));
    assert_eq!(with("A: b\0"), Field("A: b\\x00...".into()));
    assert_eq!(with(": x"), Field("\\x3a...".into()));
    assert_eq!(with("A: b\r\n\r\r\nContent-Length: 5"), Field("\\x0d...".into()));
    assert_eq!(with("\r"), Field("\\x0d...".into()));
    assert_eq!(with("Content-Length: 2x"), ContentLength("2x".into()));
    assert_eq!(with("Content-Length: -1"), ContentLength("-1".into()));
    assert_eq!(
        with("Content-Length: 9223372036854775808"),
        ContentLength("9223372036854775808".into())
    );
    assert_eq!(with("Content-Length: 2\r\nTransfer-Encoding: chunked"), LengthAndCoding);
    assert!(
        with("Content-Length: 2\r\nContent-Length: 2")
            .to_string()
            .starts_with("upstream sent duplicate")
    );
    assert_eq!(with("Transfer-Encoding: gzip"), Invalid::Coding("gzip".into()));
    assert_eq!(with(&format!("X: {}", "a".repeat(4096))), TooBig);
    assert_eq!(with("Content-Length: 5"), Ended);
    let chunks = |text: &str| {
        matches!(with(&format!("Transfer-Encoding: chunked\r\n\r\n{text}")), Chunks(_))
    };
    assert!(chunks("zz"));
    assert!(chunks("1\r\nhh"));
    assert!(chunks("1\nh"));
    assert!(chunks("ffffffffffffffff"));
}

proptest! {
    #[test]
    fn an_answer_reads_the_same_however_it_is_cut(
        step in 1usize..40,
        which in 0usize..7,
    ) {
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nA: b\r\n\r\nhello, world",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\nX: y\n\nhello, world",
            "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\nlost",
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX",
            "nothing of the kind",
        ];
        let whole = read(answers[which].as_bytes(), usize::MAX, &get());
        prop_assert_eq!(read(answers[which].as_bytes(), step, &get()), whole);
    }

    #[test]
    fn no_bytes_make_it_panic(answer in ".*", step in 1usize..8) {
        read(answer.as_bytes(), step, &get());
        read(format!("HTTP/1.1 200 OK\r\n{answer}\r\n\r\n").as_bytes(), step, &get());
        let chunks = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{answer}");
        read(chunks.as_bytes(), step, &get());
    }
}

#[test]
fn a_head_without_a_line_ends_where_it_begins() {
    let mut decoder = Answer::new(Dialect::Cgi, 4096);
    let mut input = BytesMut::from("\r\nA: b\r\n\r\n");
    let Ok(Some(Event::Head(head))) = decoder.decode(&mut input, false) else {
        panic!("there is a head");
    };
    assert_eq!((head.status, head.headers.len(), head.size), (200, 0, 2));
    assert_eq!(decoder.decode(&mut input, true), Ok(Some(Event::Body("A: b\r\n\r\n".into()))));
}

#[test]
fn a_head_ends_at_its_first_empty_line_however_lines_end() {
    for (answer, size) in [
        ("HTTP/1.1 200 OK\nA: b\n\nC: d\r\n\r\n", 22),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\nC: d\r\n\r\n", 24),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nC: d\r\n\r\n", 25),
        ("HTTP/1.1 200 OK\r\nA: b\n\r\nC: d\r\n\r\n", 24),
        ("HTTP/1.1 200 OK\r\nA: b\r\r\n\r\nC: d\r\n\r\n", 26),
    ] {
        let mut decoder = Answer::new(Dialect::Http, 4096);
        let mut input = BytesMut::from(answer);
        let Ok(Some(Event::Head(head))) = decoder.decode(&mut input, false) else {
            panic!("there is a head in {answer:?}");
        };
        assert_eq!((head.headers.len(), head.size), (1, size), "{answer:?}");
        assert_eq!(input, answer[size..], "{answer:?}");
    }
}
