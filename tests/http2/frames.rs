//! Frames: their sizes, their flags and where they may stand (RFC 9113, sections 4 and 6).

use super::conformance::*;
use crate::harness::http2::*;

#[tokio::test]
async fn frames_have_their_shape() {
    const SIZE: Expect = Connection(&[FRAME_SIZE_ERROR, PROTOCOL_ERROR]);
    const PROTOCOL: Expect = Connection(&[PROTOCOL_ERROR]);
    let padded = |pad: u8| {
        let block = [&[pad][..], &simple(), &[0; 10]].concat();
        frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, &block)
    };
    let depends = |on: u32| {
        let block = [&on.to_be_bytes()[..], &[16], &simple()].concat();
        frame(HEADERS, END_STREAM | END_HEADERS | PRIORITISED, 1, &block)
    };
    judge_all(&[
        ("4.1 an unknown frame is ignored", frame(0x16, 0, 0, b"what"), Alive),
        ("4.1 unknown flags are ignored", frame(PING, 0x16, 0, &[0; 8]), Alive),
        (
            "4.2 DATA longer than the limit",
            [open(1), frame(DATA, 0, 1, &vec![0; 16_385])].concat(),
            SIZE,
        ),
        ("4.2 HEADERS longer than the limit", frame(HEADERS, 5, 1, &vec![0; 16_385]), SIZE),
        (
            "4.3 a block that ends within a field",
            with_block(&[0x40]),
            Connection(&[COMPRESSION_ERROR, PROTOCOL_ERROR]),
        ),
        (
            "4.3 another frame within a block",
            [frame(HEADERS, 1, 1, &simple()), frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])].concat(),
            PROTOCOL,
        ),
        (
            "4.3 another stream within a block",
            [frame(HEADERS, 1, 1, &simple()), frame(CONTINUATION, 4, 3, &[])].concat(),
            PROTOCOL,
        ),
        ("6.1 DATA on stream 0", frame(DATA, 0, 0, b"x"), PROTOCOL),
        (
            "6.1 DATA padded over its length",
            [open(1), frame(DATA, PADDED, 1, &[9, 1])].concat(),
            PROTOCOL,
        ),
        (
            "6.1 DATA padded well",
            [open(1), frame(DATA, PADDED | END_STREAM, 1, &[1, b'x', 0])].concat(),
            Answer,
        ),
        ("6.2 HEADERS on stream 0", frame(HEADERS, 5, 0, &simple()), PROTOCOL),
        ("6.2 HEADERS padded over its length", padded(255), PROTOCOL),
        ("6.2 HEADERS padded well", padded(10), Answer),
        ("6.2 HEADERS with a priority", depends(0), Answer),
        ("5.3 a stream that depends on itself", depends(1), Stream(&[PROTOCOL_ERROR])),
        ("6.3 PRIORITY on stream 0", frame(PRIORITY, 0, 0, &[0, 0, 0, 0, 1]), PROTOCOL),
        (
            "6.3 PRIORITY of four bytes",
            frame(PRIORITY, 0, 1, &[0; 4]),
            Stream(&[FRAME_SIZE_ERROR, PROTOCOL_ERROR]),
        ),
        ("6.3 PRIORITY of an idle stream", frame(PRIORITY, 0, 9, &[0, 0, 0, 0, 1]), Alive),
        ("6.4 RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, &[0; 4]), PROTOCOL),
        ("6.4 RST_STREAM of an idle stream", frame(RST_STREAM, 0, 1, &[0; 4]), PROTOCOL),
        (
            "6.4 RST_STREAM of three bytes",
            [open(1), frame(RST_STREAM, 0, 1, &[0; 3])].concat(),
            SIZE,
        ),
        ("6.5 SETTINGS with ACK and a body", frame(SETTINGS, ACK, 0, &[0; 6]), SIZE),
        ("6.5 SETTINGS on stream 1", frame(SETTINGS, 0, 1, &[]), PROTOCOL),
        ("6.5 SETTINGS of three bytes", frame(SETTINGS, 0, 0, &[0; 3]), SIZE),
        ("6.5.2 ENABLE_PUSH of 2", settings_frame(&[(2, 2)]), PROTOCOL),
        (
            "6.5.2 a window over the largest",
            settings_frame(&[(4, 1 << 31)]),
            Connection(&[FLOW_CONTROL_ERROR, PROTOCOL_ERROR]),
        ),
        ("6.5.2 a frame size below the least", settings_frame(&[(5, 16_383)]), PROTOCOL),
        ("6.5.2 a frame size over the largest", settings_frame(&[(5, 1 << 24)]), PROTOCOL),
        ("6.5.2 an unknown setting", settings_frame(&[(0x99, 1)]), Alive),
        ("6.6 PUSH_PROMISE of a client", frame(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2]), PROTOCOL),
        ("6.7 PING on stream 1", frame(PING, 0, 1, &[0; 8]), PROTOCOL),
        ("6.7 PING of six bytes", frame(PING, 0, 0, &[0; 6]), SIZE),
        ("6.7 an answer that was not asked for", frame(PING, ACK, 0, &[0; 8]), Alive),
        ("6.8 GOAWAY on stream 1", frame(GOAWAY, 0, 1, &[0; 8]), PROTOCOL),
        ("6.9 WINDOW_UPDATE of 0 for all", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), PROTOCOL),
        (
            "6.9 WINDOW_UPDATE of 0 for one",
            [open(1), frame(WINDOW_UPDATE, 0, 1, &[0; 4])].concat(),
            Stream(&[PROTOCOL_ERROR]),
        ),
        ("6.9 WINDOW_UPDATE of three bytes", frame(WINDOW_UPDATE, 0, 0, &[0; 3]), SIZE),
        ("6.10 CONTINUATION of nothing", frame(CONTINUATION, 4, 1, &simple()), PROTOCOL),
        (
            "6.10 CONTINUATION behind the end",
            [open(1), frame(CONTINUATION, 4, 1, &[])].concat(),
            PROTOCOL,
        ),
        (
            "6.10 CONTINUATION on stream 0",
            [frame(HEADERS, 1, 1, &simple()), frame(CONTINUATION, 4, 0, &[])].concat(),
            PROTOCOL,
        ),
        (
            "6.10 a block in several frames",
            [
                frame(HEADERS, 1, 1, &simple()[..9]),
                frame(CONTINUATION, 0, 1, &simple()[9..20]),
                frame(CONTINUATION, 4, 1, &simple()[20..]),
            ]
            .concat(),
            Answer,
        ),
    ])
    .await;
}
