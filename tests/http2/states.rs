//! Streams: their states, and what may come for them when (RFC 9113, section 5).

use super::conformance::*;
use crate::harness::http2::*;

#[tokio::test]
async fn streams_have_their_states() {
    const CLOSED: Expect = Stream(&[STREAM_CLOSED, PROTOCOL_ERROR]);
    let half = || frame(HEADERS, END_STREAM | END_HEADERS, 1, &literals(&get("/f", &[])));
    judge_all(&[
        (
            "5.1 DATA of an idle stream",
            frame(DATA, END_STREAM, 1, b"x"),
            Connection(&[PROTOCOL_ERROR]),
        ),
        (
            "5.1 WINDOW_UPDATE of an idle stream",
            frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9]),
            Connection(&[PROTOCOL_ERROR]),
        ),
        ("5.1 DATA behind the end", [half(), frame(DATA, END_STREAM, 1, b"x")].concat(), CLOSED),
        ("5.1 HEADERS behind the end", [half(), whole(1)].concat(), CLOSED),
        (
            "5.1 DATA behind a reset",
            [open(1), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]), frame(DATA, 1, 1, b"x"), whole(3)]
                .concat(),
            Answer,
        ),
        ("5.1.1 an even number", whole(2), Connection(&[PROTOCOL_ERROR])),
        (
            "5.1.1 a number below one before",
            [whole(5), whole(3)].concat(),
            Connection(&[PROTOCOL_ERROR, STREAM_CLOSED]),
        ),
        ("5.1.1 numbers may be left out", whole(101), Answer),
        (
            "8.1 trailers without the end",
            [open(1), frame(HEADERS, END_HEADERS, 1, &literals(&[("x-t", "1")]))].concat(),
            Stream(&[PROTOCOL_ERROR]),
        ),
        (
            "8.1 trailers",
            [open(1), frame(HEADERS, END_HEADERS | END_STREAM, 1, &literals(&[("x-t", "1")]))]
                .concat(),
            Answer,
        ),
        (
            "8.1 trailers behind a body",
            [
                open(1),
                frame(DATA, 0, 1, b"x"),
                frame(HEADERS, END_HEADERS | END_STREAM, 1, &literals(&[("x-t", "1")])),
            ]
            .concat(),
            Answer,
        ),
        (
            "5.4 a connection goes on behind a stream's error",
            [only(&[(":method", "GET")]), whole(3)].concat(),
            Answer,
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_may_still_come_for_a_stream_and_what_may_not() {
    const CLOSED: &[u32] = &[STREAM_CLOSED, PROTOCOL_ERROR];
    let window = || frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]);
    let priority = || frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 15]);
    let reset = |code: u32| frame(RST_STREAM, 0, 1, &code.to_be_bytes());
    let continued = || frame(CONTINUATION, END_HEADERS, 1, &literals(&[("x-a", "b")]));
    judge_all(&[
        ("5.1 WINDOW_UPDATE behind the end", [whole(1), window(), whole(3)].concat(), Answer),
        ("5.1 PRIORITY behind the end", [whole(1), priority(), whole(3)].concat(), Answer),
        ("5.1 RST_STREAM behind the end", [whole(1), reset(8), whole(3)].concat(), Answer),
        ("5.1 CONTINUATION behind the end", [whole(1), continued()].concat(), Connection(CLOSED)),
        ("5.1 HEADERS behind a reset", [open(1), reset(8), whole(1)].concat(), Stream(CLOSED)),
        ("5.1 PRIORITY behind a reset", [open(1), reset(8), priority(), whole(3)].concat(), Answer),
        (
            "5.1 WINDOW_UPDATE behind a reset",
            [open(1), reset(8), window(), whole(3)].concat(),
            Answer,
        ),
        (
            "5.1 CONTINUATION behind a reset",
            [open(1), reset(8), continued()].concat(),
            Connection(CLOSED),
        ),
        (
            "6.10 CONTINUATION behind the last one",
            [frame(HEADERS, END_STREAM, 1, &simple()), continued(), continued()].concat(),
            Connection(&[PROTOCOL_ERROR]),
        ),
        (
            "6.10 CONTINUATION behind DATA",
            [open(1), frame(DATA, 0, 1, b"x"), continued()].concat(),
            Connection(&[PROTOCOL_ERROR]),
        ),
        ("7 RST_STREAM of a code that is none", [open(1), reset(0xff), whole(3)].concat(), Answer),
        (
            "6.5.3 the last of several values holds",
            [settings_frame(&[(4, 1), (4, 100)]), whole(1)].concat(),
            Answer,
        ),
        ("6.5 no settings at all", [frame(SETTINGS, 0, 0, b""), whole(1)].concat(), Answer),
        ("4 HEAD", only(&request("HEAD", "/", &[])), Answer),
        ("4 OPTIONS", only(&request("OPTIONS", "/", &[])), Answer),
    ])
    .await;
}

#[tokio::test]
async fn what_is_usual_and_seldom_seen_is_well() {
    const PROTOCOL: Expect = Connection(&[PROTOCOL_ERROR]);
    let prioritised = |on: u32, weight: u8| {
        let block = [&on.to_be_bytes()[..], &[weight], &simple()].concat();
        frame(HEADERS, END_STREAM | END_HEADERS | PRIORITISED, 3, &block)
    };
    let reserved = |mut bytes: Vec<u8>| {
        bytes[5] |= 0x80;
        bytes
    };
    let away = |code: u32| frame(GOAWAY, 0, 0, &[[0; 4], code.to_be_bytes()].concat());
    judge_all(&[
        ("3.3 a weight of 256", prioritised(0, 255), Answer),
        ("3.3 a stream that depends on an idle one", prioritised(99, 15), Answer),
        ("3.3 an exclusive dependency", prioritised(1 << 31 | 1, 15), Answer),
        (
            "3.3 PRIORITY of a later stream",
            [frame(PRIORITY, 0, 5, &[0, 0, 0, 0, 15]), whole(3)].concat(),
            Answer,
        ),
        (
            "5.3.1 PRIORITY of a stream that depends on itself",
            frame(PRIORITY, 0, 3, &[0, 0, 0, 3, 15]),
            Stream(&[PROTOCOL_ERROR]),
        ),
        ("4.1 a reserved bit is ignored", reserved(whole(1)), Answer),
        (
            "4.2 DATA as long as may be",
            [open(1), frame(DATA, END_STREAM, 1, &vec![b'x'; 16_384])].concat(),
            Answer,
        ),
        (
            "3.1 DATA in several frames, one of them empty",
            [open(1), frame(DATA, 0, 1, b"a"), frame(DATA, 0, 1, b""), frame(DATA, 1, 1, b"b")]
                .concat(),
            Answer,
        ),
        (
            "5.5 an unknown frame within a block",
            [frame(HEADERS, 1, 1, &simple()), frame(0x16, 0, 0, b"what")].concat(),
            PROTOCOL,
        ),
        (
            "6.2 HEADERS of another stream within a block",
            [frame(HEADERS, 1, 1, &simple()), whole(3)].concat(),
            PROTOCOL,
        ),
        (
            "6.2 a priority within a block's first frame, another stream behind it",
            [
                frame(HEADERS, 1 | PRIORITISED, 1, &[&[0, 0, 0, 0, 9][..], &simple()].concat()),
                frame(DATA, 0, 3, b"x"),
            ]
            .concat(),
            PROTOCOL,
        ),
        (
            "6.10 CONTINUATION and then DATA within a block",
            [
                frame(HEADERS, 1, 1, &simple()),
                frame(CONTINUATION, 0, 1, b""),
                frame(DATA, 0, 1, b"x"),
            ]
            .concat(),
            PROTOCOL,
        ),
        ("3.9 WINDOW_UPDATE of a stream", [open(1), window_of(1), end(1)].concat(), Answer),
        ("3.9 WINDOW_UPDATE of all", [window_of(0), whole(1)].concat(), Answer),
        ("3.8 GOAWAY leaves what was asked", [whole(1), away(0)].concat(), Answer),
        ("7 GOAWAY of a code that is none", [whole(1), away(0xff)].concat(), Answer),
        ("5.1 CONTINUATION of an idle stream", frame(CONTINUATION, 4, 7, &simple()), PROTOCOL),
    ])
    .await;
}

/// WINDOW_UPDATE by one byte.
fn window_of(stream: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &[0, 0, 0, 1])
}

/// The end of a stream's body.
fn end(stream: u32) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, b"")
}
