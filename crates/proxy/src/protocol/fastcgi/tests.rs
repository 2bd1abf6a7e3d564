//! Requests in bytes, answers out of bytes however they are cut.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::protocol::{Event, Invalid};

fn record(kind: u8, content: &[u8], padding: u8) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    let mut out = vec![1, kind, 0, 1, high, low, padding, 0];
    out.extend_from_slice(content);
    out.extend(vec![b'#'; usize::from(padding)]);
    out
}

fn stdout(text: &str) -> Vec<u8> {
    record(6, text.as_bytes(), 3)
}

fn end() -> Vec<u8> {
    record(3, &[0; 8], 0)
}

fn codec(keep: bool, caught: &[&'static str]) -> Fastcgi {
    let caught = caught.iter().map(|text| Bytes::from_static(text.as_bytes())).collect();
    Fastcgi::new(&Request { keep, caught, ..Request::default() })
}

/// All events, the input being given in pieces of this length, and what is left of it.
fn events(
    codec: &Fastcgi,
    input: &[u8],
    piece: usize,
) -> (Result<Vec<Event>, Invalid>, usize, bool) {
    let mut decoder = codec.decoder(4096);
    let (mut buffer, mut all) = (BytesMut::new(), Vec::new());
    let mut rest = input;
    loop {
        let ended = rest.is_empty();
        match decoder.decode(&mut buffer, ended) {
            Ok(Some(Event::End)) => {
                all.push(Event::End);
                return (Ok(all), buffer.len() + rest.len(), decoder.reusable());
            }
            Ok(Some(Event::Body(bytes))) => match all.last_mut() {
                Some(Event::Body(before)) => *before = [before.as_ref(), &bytes].concat().into(),
                _ => all.push(Event::Body(bytes)),
            },
            Ok(Some(event)) => all.push(event),
            Ok(None) if ended => panic!("asks for more at the end"),
            Ok(None) => {
                let (first, others) = rest.split_at(piece.min(rest.len()));
                buffer.extend_from_slice(first);
                rest = others;
            }
            Err(invalid) => return (Err(invalid), 0, false),
        }
    }
}

#[test]
fn a_request_is_begun_told_and_followed_by_its_body() {
    let params = vec![("A".into(), "b".into()), ("LONG".into(), vec![b'x'; 128].into())];
    let codec = Fastcgi::new(&Request { params, keep: true, ..Request::default() });
    let mut out = VecDeque::new();
    codec.data("hello".into(), &mut out);
    codec.end(&mut out);
    let mut expected = vec![1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
    expected.extend([1, 4, 0, 1, 0, 141, 3, 0, 1, 1, b'A', b'b', 4, 0x80, 0, 0, 128]);
    expected.extend(*b"LONG");
    expected.extend([b'x'; 128]);
    expected.extend([0, 0, 0, 1, 4, 0, 1, 0, 0, 0, 0]);
    assert_eq!(codec.head(), expected);
    let body: Vec<u8> = out.into_iter().flatten().collect();
    assert_eq!(body, b"\x01\x05\0\x01\0\x05\x03\0hello\0\0\0\x01\x05\0\x01\0\0\0\0");
}

#[test]
fn long_parameters_and_bodies_take_several_records() {
    let params = vec![("A".into(), vec![b'x'; 100_000].into())];
    let codec = Fastcgi::new(&Request { params, ..Request::default() });
    let head = codec.head();
    assert_eq!(&head[16..24], &[1, 4, 0, 1, 0xff, 0xf8, 0, 0]);
    assert_eq!(head.len(), 16 + 8 + MOST + 8 + (100_006 - MOST) + 2 + 8);
    let mut out = VecDeque::new();
    codec.data(vec![0; 70_000].into(), &mut out);
    let lengths: Vec<usize> = out.iter().map(Bytes::len).collect();
    assert_eq!(lengths, [8, 32_768, 8, 32_768, 8, 4_464]);
}

#[test]
fn an_answer_is_the_same_however_it_is_cut() {
    let input = [
        record(7, b"PHP Warning: one\n", 7),
        stdout("Status: 201 Made\r\nX-A"),
        stdout(": b\r\n\r\nhel"),
        record(7, b"two", 0),
        stdout("lo"),
        record(6, b"", 0),
        end(),
    ]
    .concat();
    for piece in 1..input.len() {
        for keep in [true, false] {
            let (all, _, reusable) = events(&codec(keep, &[]), &input, piece);
            let all = all.unwrap();
            let [Event::Told(one), Event::Head(head), rest @ ..] = &all[..] else {
                panic!("{all:?}")
            };
            assert_eq!((&one[..], head.status), (&b"PHP Warning: one\n"[..], 201));
            let body: Vec<u8> = rest
                .iter()
                .filter_map(|event| if let Event::Body(bytes) = event { Some(bytes) } else { None })
                .flatten()
                .copied()
                .collect();
            assert_eq!(body, b"hello");
            assert_eq!(rest.last(), Some(&Event::End));
            assert_eq!(reusable, keep);
        }
    }
}

#[test]
fn what_may_not_come_is_refused_in_nginxs_words() {
    let said = |input: &[u8], caught: &[&'static str]| {
        let codec = codec(false, caught);
        events(&codec, input, 5).0.expect_err("a fault").to_string()
    };
    let head = "Content-Length: 5\r\n\r\n";
    let cases: [(Vec<u8>, &str); 9] = [
        (b"HTTP/1.1 400".to_vec(), "upstream sent unsupported FastCGI protocol version: 72"),
        (record(9, b"", 0), "upstream sent invalid FastCGI record type: 9"),
        (vec![1, 6, 2], "upstream sent unexpected FastCGI request id high byte: 2"),
        (vec![1, 6, 0, 7], "upstream sent unexpected FastCGI request id low byte: 7"),
        (record(6, b"", 0), "upstream prematurely closed FastCGI stdout"),
        (
            [stdout(head), stdout("hell"), end()].concat(),
            "upstream prematurely closed FastCGI stdout",
        ),
        ([stdout(head), stdout("hell")].concat(), "upstream prematurely closed connection"),
        (end(), "upstream sent unexpected FastCGI record: 3"),
        (
            record(3, &[0, 0, 0, 0, 2, 0, 0, 0], 0),
            "upstream sent unexpected FastCGI record: 3, it is overloaded",
        ),
    ];
    for (input, words) in cases {
        assert_eq!(said(&input, &[]), words);
    }
    let fatal = record(7, b"PHP Fatal error:  x.\n", 0);
    assert_eq!(
        said(&fatal, &["nothing", "Fatal"]),
        "FastCGI sent in stderr: \"PHP Fatal error:  x\""
    );
}

#[test]
fn more_than_was_promised_is_passed_over() {
    let input = [stdout("Content-Length: 2\r\n\r\nhi there"), stdout("!"), end()].concat();
    let (all, left, reusable) = events(&codec(true, &[]), &input, 9);
    let all = all.unwrap();
    assert_eq!(all[1..], [Event::Body("hi".into()), Event::End]);
    assert_eq!((left, reusable), (0, true));
}

#[test]
fn fields_of_chunks_are_not_believed() {
    let input = [stdout("Transfer-Encoding: chunked\r\n\r\nplain"), end()].concat();
    let all = events(&codec(false, &[]), &input, 100).0.unwrap();
    assert_eq!(all[1], Event::Body("plain".into()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_hang(input: Vec<u8>, piece in 1_usize..50, keep: bool) {
        let _ = events(&codec(keep, &[]), &input, piece);
    }

    #[test]
    fn no_records_make_it_panic_or_hang(
        records in prop::collection::vec((prop::sample::select(vec![3_u8, 6, 7]), ".{0,40}", 0_u8..9), 0..8),
        piece in 1_usize..50,
    ) {
        let input: Vec<u8> =
            records.iter().flat_map(|(kind, text, padding)| record(*kind, text.as_bytes(), *padding)).collect();
        let _ = events(&codec(true, &[]), &input, piece);
    }
}
