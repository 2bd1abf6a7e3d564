//! Heads: which fields a request may have, and how they are compressed (RFC 9113, section 8; RFC 7541).

use super::conformance::*;
use crate::harness::http2::*;

#[tokio::test]
async fn heads_keep_the_rules() {
    const BAD: Expect = Stream(&[PROTOCOL_ERROR]);
    let (method, scheme) = ((":method", "GET"), (":scheme", "http"));
    let (path, host) = ((":path", "/"), (":authority", "a"));
    judge_all(&[
        ("8.2 a name with capitals", with(&[("X-A", "1")]), BAD),
        ("8.2 a name with a space", with(&[("x a", "1")]), BAD),
        ("8.2 an empty name", with(&[("", "1")]), BAD),
        ("8.2 a value with a line end", with(&[("x-a", "1\nx-b: 2")]), BAD),
        ("8.2 a value with a NUL", with(&[("x-a", "1\0")]), BAD),
        ("8.2.2 Connection", with(&[("connection", "keep-alive")]), BAD),
        ("8.2.2 Transfer-Encoding", with(&[("transfer-encoding", "chunked")]), BAD),
        ("8.2.2 Upgrade", with(&[("upgrade", "x")]), BAD),
        ("8.2.2 Keep-Alive", with(&[("keep-alive", "1")]), BAD),
        ("8.2.2 Proxy-Connection", with(&[("proxy-connection", "x")]), BAD),
        ("8.2.2 TE: gzip", with(&[("te", "trailers, deflate;q=0.5")]), BAD),
        ("8.2.2 TE: trailers", with(&[("te", "trailers")]), Answer),
        ("8.3 an unknown pseudo-field", with(&[(":test", "1")]), BAD),
        ("8.3 one of answers", with(&[(":status", "200")]), BAD),
        ("8.3 one behind fields", only(&[method, scheme, path, ("x-a", "1"), host]), BAD),
        (
            "8.3 one in trailers",
            [open(1), frame(HEADERS, 5, 1, &literals(&[(":method", "POST")]))].concat(),
            BAD,
        ),
        ("8.3.1 an empty path", only(&[method, scheme, (":path", ""), host]), BAD),
        ("8.3.1 no method", only(&[scheme, path, host]), BAD),
        ("8.3.1 no scheme", only(&[method, path, host]), BAD),
        ("8.3.1 no path", only(&[method, scheme, host]), BAD),
        ("8.3.1 two methods", only(&[method, method, scheme, path, host]), BAD),
        ("8.3.1 two schemes", only(&[method, scheme, scheme, path, host]), BAD),
        ("8.3.1 two paths", only(&[method, scheme, path, path, host]), BAD),
        ("8.3.1 two hosts", only(&[method, scheme, path, host, ("host", "b")]), BAD),
        ("8.3.1 no host", only(&[method, scheme, path]), BAD),
        (
            "8.1.1 a length that is not kept",
            [
                frame(HEADERS, 4, 1, &literals(&request("POST", "/f", &[("content-length", "1")]))),
                frame(DATA, 1, 1, b"test"),
            ]
            .concat(),
            Stream(&[PROTOCOL_ERROR, NO_ERROR]),
        ),
        (
            "8.1.1 a length that is not kept in the sum",
            [
                frame(HEADERS, 4, 1, &literals(&request("POST", "/f", &[("content-length", "1")]))),
                frame(DATA, 0, 1, b"te"),
                frame(DATA, 1, 1, b"st"),
            ]
            .concat(),
            Stream(&[PROTOCOL_ERROR, NO_ERROR]),
        ),
        ("8.5 CONNECT with a path", only(&[(":method", "CONNECT"), scheme, path, host]), BAD),
        (
            "8441 :protocol without CONNECT",
            only(&[method, (":protocol", "websocket"), scheme, path, host]),
            BAD,
        ),
    ])
    .await;
}

#[tokio::test]
async fn header_compression_keeps_the_rules() {
    const BAD: Expect = Connection(&[COMPRESSION_ERROR, PROTOCOL_ERROR]);
    judge_all(&[
        ("2.3.3 an index beyond both tables", with_block(&[0xc6]), BAD),
        ("2.3.3 a name beyond both tables", with_block(&[0x7f, 0x80, 0x01, 0x01, b'x']), BAD),
        ("6.1 index 0", with_block(&[0x80]), BAD),
        (
            "5.1 a number without end",
            with_block(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            BAD,
        ),
        (
            "5.2 padding longer than seven bits",
            with_block(&[0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x84, 0x49, 0x50, 0x9f, 0xff]),
            BAD,
        ),
        (
            "5.2 padding of zeros",
            with_block(&[0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x83, 0x49, 0x50, 0x90]),
            BAD,
        ),
        (
            "5.2 the end of strings within one",
            with_block(&[
                0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x87, 0x49, 0x51, 0xff, 0xff, 0xff, 0xfa,
                0x7f,
            ]),
            BAD,
        ),
        (
            "6.3 a table larger than allowed",
            frame(HEADERS, 5, 1, &[&[0x3f, 0xe1, 0x7f][..], &simple()].concat()),
            BAD,
        ),
        ("4.2 a table's size behind fields", with_block(&[0x20]), BAD),
        (
            "4.2 a table's size in front",
            frame(HEADERS, 5, 1, &[&[0x20][..], &simple()].concat()),
            Answer,
        ),
        (
            "6.1 fields of the table",
            frame(HEADERS, 5, 1, &[&[0x82, 0x86, 0x84, 0x41, 0x01, b'a'][..]].concat()),
            Answer,
        ),
        (
            "6.2.1 a field that enters the table",
            [
                frame(HEADERS, 5, 1, &[0x82, 0x86, 0x84, 0x41, 0x01, b'a']),
                frame(HEADERS, 5, 3, &[0x82, 0x86, 0x84, 0xbe]),
            ]
            .concat(),
            Answer,
        ),
        ("6.2.3 a field that never enters", with_block(&[0x10, 0x01, b'x', 0x01, b'y']), Answer),
        ("6.2.3 a known name that never enters", with_block(&[0x1f, 0x2b, 0x01, b'y']), Answer),
        ("6.2.2 a known name that does not enter", with_block(&[0x0f, 0x2b, 0x01, b'y']), Answer),
        ("6.2.1 a new name that enters", with_block(&[0x40, 0x01, b'x', 0x01, b'y']), Answer),
        (
            "6.2.1 a new name that enters and is used",
            with_block(&[0x40, 0x01, b'x', 0x01, b'y', 0xbe, 0x7e, 0x01, b'z']),
            Answer,
        ),
        (
            "5.2 Huffman's code",
            frame(
                HEADERS,
                5,
                1,
                &[
                    0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0,
                    0xab, 0x90, 0xf4, 0xff,
                ],
            ),
            Answer,
        ),
        (
            "6.3 sizes that change",
            frame(HEADERS, 5, 1, &[&[0x20, 0x3f, 0xe1, 0x1f][..], &simple()].concat()),
            Answer,
        ),
        (
            "2.3.3 what left the table",
            [
                frame(HEADERS, 5, 1, &[0x82, 0x86, 0x84, 0x41, 0x01, b'a']),
                frame(HEADERS, 5, 3, &[0x20, 0x82, 0x86, 0x84, 0xbe]),
            ]
            .concat(),
            BAD,
        ),
    ])
    .await;
}
